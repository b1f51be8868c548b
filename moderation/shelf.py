"""The models that are installed, and which of them is active.

The shipped model is always there. A models folder holds those that were trained here, and
`active.json`: the versions activated so far, the last of which serves. It is replaced whole, so a
service that looks at it sees the old one or the new one.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from pathlib import Path
from typing import Any

from moderation import artefact, second_opinion
from moderation.classifier import Classifier
from moderation.errors import ModelRefused, ModelsReadOnly, NoEarlierModel, UnknownModel
from moderation.files import replacing
from moderation.second_opinion import NEVER, SecondOpinion

log = logging.getLogger(__name__)

POINTER = "active.json"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REMEMBERED = 50


def carried(name: str) -> Path:
    """A folder that comes with the package: inside it, or beside it in a checkout."""
    here = Path(__file__).parent
    return here / name if (here / name).is_dir() else here.parent / name


def shipped() -> Path:
    """The folder of the shipped model."""
    return carried("models")


class ModelShelf:
    """Installed models of a folder and the shipped one. Safe to share between threads."""

    def __init__(self, folder: Path, *, consult: str = NEVER) -> None:
        """`consult`: when the second opinion is asked, where that is installed."""
        self.folder = folder
        self._consult = consult
        self._second: SecondOpinion | None = None
        self._pointer = folder / POINTER
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._active: Classifier | None = None

    def versions(self) -> list[str]:
        """All installed versions, the shipped one first."""
        own = sorted(path.parent.name for path in self.folder.glob(f"*/{artefact.MANIFEST}"))
        return [v for v in dict.fromkeys((*self._shipped(), *own)) if _VERSION.fullmatch(v)]

    def manifest(self, version: str) -> dict[str, Any]:
        """What an installed model says of itself. Raises UnknownModel, ModelRefused."""
        return artefact.read_manifest(self.place(version))

    def place(self, version: str) -> Path:
        """The folder of an installed model. Raises UnknownModel."""
        known = self.versions()
        if version not in known:
            raise UnknownModel(version, known)
        own = self.folder / version
        return own if own.is_dir() else shipped() / version

    def load(self, version: str) -> Classifier:
        """An installed model. Raises UnknownModel, ModelRefused."""
        if self._consult != NEVER and self._second is None:
            self._second = second_opinion.beside(shipped(), self._consult)
        return artefact.load(self.place(version), self._second)

    def active_version(self) -> str:
        """The version that serves. Raises UnknownModel where none is installed."""
        versions = self._activated() or self._shipped()
        if not versions:
            raise UnknownModel("shipped", self.versions())
        return versions[-1]

    def active(self) -> Classifier:
        """The active model: loaded anew when another was activated, here or in another process.

        A model that is refused leaves the one of before in service, and a line in the log.
        Raises ModelRefused or UnknownModel where there is none of before.
        """
        stamp = self._stamp()
        if self._active is not None and stamp == self._seen:
            return self._active
        with self._lock:
            try:
                version = self.active_version()
                if self._active is None or self._active.version != version:
                    self._active = self._load_active(version)
            except (ModelRefused, UnknownModel) as error:
                if self._active is None:
                    raise
                log.error("still serving model %s: %s", self._active.version, error)
            self._seen = stamp
            return self._active

    def activate(self, version: str) -> Classifier:
        """Makes an installed model the active one, once it has loaded. Raises as `load`."""
        classifier = self.load(version)
        with self._lock:
            try:
                history = self._activated()
            except ModelRefused as error:
                log.error("beginning a new history of models: %s", error)
                history = []
            history = history or self._shipped()[-1:]
            if history[-1:] != [version]:
                history.append(version)
            # written even where it says the same, so that a service which refused it looks again
            self._point(history[-_REMEMBERED:])
        return classifier

    def previous(self) -> str | None:
        """The model that was active before, to which `rollback` leads; None where there is none."""
        try:
            history = self._activated()
        except ModelRefused:  # a pointer that cannot be read; activating a model mends it
            return None
        return history[-2] if len(history) > 1 else None

    def rollback(self) -> str:
        """Back to the model that was active before; answers its version.

        Raises NoEarlierModel.
        """
        with self._lock:
            history = self._activated()
            if len(history) < 2:  # itself and the one of before
                raise NoEarlierModel
            self.load(history[-2])
            self._point(history[:-1])
        return history[-2]

    def _load_active(self, version: str) -> Classifier:
        try:
            return self.load(version)
        except UnknownModel as error:
            problem = f"{self.folder / POINTER} names it, but it is not installed"
            raise ModelRefused(version, problem) from error

    def _shipped(self) -> list[str]:
        return sorted(path.parent.name for path in shipped().glob(f"*/{artefact.MANIFEST}"))

    def _activated(self) -> list[str]:
        pointer = self._pointer
        try:
            history = json.loads(pointer.read_text(encoding="utf-8"))["history"]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelRefused("(active)", f"{pointer} cannot be read ({error})") from error
        if not isinstance(history, list) or not all(isinstance(v, str) for v in history):
            raise ModelRefused("(active)", f"{pointer} holds no list of versions")
        return history

    def _point(self, history: list[str]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._pointer) as draft:
                draft.write_text(json.dumps({"history": history}), encoding="utf-8")
        except OSError as error:
            raise ModelsReadOnly(self.folder, error) from error

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self._pointer.stat()
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_ino)
