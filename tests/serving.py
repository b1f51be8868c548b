"""What the tests of the HTTP faces share: a shelf without files, a small real model on disk, and
the started `moderation serve` command."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
from flask import Flask

from moderation import artefact, settings
from moderation.app import create_app
from moderation.classifier import VERDICT_HEADS, Assessment, Classifier
from moderation.errors import UnknownModel
from moderation.features import BITS, WORDS, extract
from moderation.settings import Settings
from moderation.text import read
from moderation.verdict import Comment, Language, Span
from moderation.weights import HEADS

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "moderation"]
SPAM_WORDS = ("pills", "casino")
RUDE_WORDS = ("idiot", "moron")


class KnownWords:
    """Reads "pills" as spam and "idiot" as abuse."""

    words: ClassVar = {"spam": "pills", "abuse": "idiot"}

    def __init__(self, version: str) -> None:
        self.version = version
        self.manifest = {"version": version}

    def assess(self, comments: Sequence[Comment]) -> list[Assessment]:
        both = frozenset(self.words)
        return [
            Assessment(
                {
                    head: 0.999 if word in comment.content else 0.01
                    for head, word in self.words.items()
                },
                Language("en"),
                both,
            )
            for comment in comments
        ]

    def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
        word = self.words[head]
        start = comment.content.find(word)
        return (Span(start, start + len(word), word, 2.5),) if start >= 0 else ()

    def threshold(self, head: str, promise: float) -> float:
        return 1 - promise


class WordModels:
    """A shelf with two such models, for an app in this process."""

    def __init__(self) -> None:
        self._models = {version: KnownWords(version) for version in ("words-1", "words-2")}
        self._history = ["words-1"]

    def versions(self) -> Sequence[str]:
        return [*self._models]

    def active(self) -> Any:
        return self._models[self._history[-1]]

    def manifest(self, version: str) -> Mapping[str, Any]:
        if version not in self._models:
            raise UnknownModel(version, self.versions())
        return {"version": version}

    def activate(self, version: str) -> None:
        self.manifest(version)
        self._history.append(version)

    def load(self, version: str) -> Any:
        return self._models[version]

    def previous(self) -> str | None:
        return self._history[-2] if len(self._history) > 1 else None

    def rollback(self) -> None:
        self._history.pop()


def configured(folder: Path, **given: object) -> Settings:
    """Settings with everything in this folder."""
    return settings.load(environment(folder, **given))


def environment(folder: Path, **given: object) -> dict[str, str]:
    """MODERATION_ variables with everything in this folder, as the service is without extras."""
    places: dict[str, object] = {
        "database": f"sqlite:///{folder}/comments.db",
        "models": folder / "models",
        "second_opinion": "no",
    }
    return {f"MODERATION_{k.upper()}": str(v) for k, v in {**places, **given}.items()}


def app_in(folder: Path, **given: object) -> Flask:
    """The app, with word models."""
    return create_app(configured(folder, **given), shelf=WordModels())


def client_of(app: Flask) -> Any:
    """A client whose answers' `json` needs no proof that it is there."""
    return app.test_client()


def write_model(folder: Path, version: str = "small-1") -> None:
    """A model file as training writes it, that knows a few words, and make it the active one."""
    arrays: dict[str, Any] = {
        "weights": np.zeros((1 << BITS, len(HEADS)), np.int8),
        "scale": np.full(len(HEADS), 1.0, np.float32),
        "bias": np.full(len(HEADS), -6.0, np.float32),
    }
    for words, heads in ((SPAM_WORDS, ("spam",)), (RUDE_WORDS, ("toxicity", "hate"))):
        for word in words:
            features = extract([read(Comment(word))])
            bucket = features.buckets[WORDS, features.word_at[0]]
            for head in heads:
                arrays["weights"][bucket, HEADS.index(head)] = 127
    manifest: dict[str, Any] = {
        "version": version,
        "calibration": {head: [1.0, 0.0] for head in (*HEADS, "abuse")},
        "thresholds": {head: [[0.0001, 0.99], [0.5, 0.5]] for head in VERDICT_HEADS},
        "languages": {head: ["en"] for head in VERDICT_HEADS},
        "canaries": [],
    }
    classifier = Classifier(version, manifest, arrays)
    for text in ("Cheap pills here", "A fine day"):
        (assessment,) = classifier.assess([Comment(text)])
        manifest["canaries"].append({"text": text, **assessment.scores})
    artefact.save(folder, version, arrays, manifest, "# A small model\n", {})
    (folder / "active.json").write_text(json.dumps({"history": [version]}), encoding="utf-8")


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """A started `moderation serve`."""

    def __init__(self, folder: Path, *options: str, **given: object) -> None:
        self.port = free_port()
        self.database = environment(folder, **given)["MODERATION_DATABASE"]
        self.lines: list[str] = []
        self._errors = folder / "serve.log"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "--port", str(self.port), *options],
                cwd=ROOT,
                env={**clean_environment(), **environment(folder, **given)},
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + 20
        while "listening" not in self.log():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def log(self) -> str:
        """What it said so far."""
        return self._errors.read_text(encoding="utf-8")

    def stop(self, by: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        return self.process.wait(timeout=20)

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def call(
        self, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request over a connection of its own."""
        return request(self.port, method, path, data, headers)

    def raw(self, request: bytes) -> bytes:
        """What comes back for these bytes until the end of the connection, or of a second."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            connection.settimeout(1)
            received = b""
            try:
                while piece := connection.recv(65536):
                    received += piece
            except (TimeoutError, ConnectionError):
                pass
            return received


def request(
    port: int, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """One request over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        sent = {"Content-Type": "application/json"} if data is not None else {}
        body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
        connection.request(method, path, body, {**sent, **(headers or {})})
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    finally:
        connection.close()


def wait_for(port: int) -> None:
    """Until something listens there."""
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def clean_environment() -> dict[str, str]:
    """The environment without settings of ours, and the service as it is without extras."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    return {**kept, "MODERATION_SECOND_OPINION": "no"}


def moderation(folder: Path, *arguments: object, code: int = 0, **given: object) -> str:
    """What a command says on standard error, with everything of its own in this folder."""
    places = {**environment(folder, **given), "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**clean_environment(), **places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def free_port() -> int:
    """A port that nothing listens on, of those that no outgoing connection is given: tests that
    run at the same time connect all the while."""
    while True:
        port = secrets.choice(range(10_000, 32_000))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def dripping(port: int, clients: int, only: int | None = None) -> Iterator[list[socket.socket]]:
    """Clients that have begun a request and send no more: idle, half a header, half a body; or
    only one kind of these."""
    begun = (
        b"",
        b"POST /v1/comments HT",
        b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 500\r\n\r\n{",
    )
    sockets = []
    try:
        for number in range(clients):
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            connection.sendall(begun[number % len(begun) if only is None else only])
            sockets.append(connection)
        yield sockets
    finally:
        for connection in sockets:
            connection.close()
