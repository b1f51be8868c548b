"""The format of a model on disk: `model.joblib` (arrays only), `manifest.json`, `CARD.md`.

The manifest is read first, and says what the arrays must be. The arrays' file is joblib's, whose
general reader can run code; ours knows the names of a NumPy array and no other, so nothing in a
file can run, whether its hash is right or not.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from moderation import features
from moderation.classifier import VERDICT_HEADS, Classifier
from moderation.errors import ModelRefused
from moderation.second_opinion import SecondOpinion
from moderation.verdict import Comment
from moderation.weights import HEADS

FORMAT = 1
"""Raise it when a model of before cannot be read any more, and say so in the changelog."""
ARRAYS, MANIFEST, CARD = "model.joblib", "manifest.json", "CARD.md"

_SHAPES = {
    "weights": (np.dtype(np.int8), (1 << features.BITS, len(HEADS))),
    "scale": (np.dtype(np.float32), (len(HEADS),)),
    "bias": (np.dtype(np.float32), (len(HEADS),)),
}
_CANARY_TOLERANCE = 1e-3
_PROMISE = 0.01
_NEEDED = (
    "format",
    "features",
    "version",
    "files",
    "heads",
    "calibration",
    "thresholds",
    "languages",
    "canaries",
)

Arrays = dict[str, npt.NDArray[Any]]


def save(
    folder: Path,
    version: str,
    arrays: Arrays,
    manifest: Mapping[str, Any],
    card: str,
    files: Mapping[str, bytes],
) -> Path:
    """Writes `folder/version` whole or not at all; `files` are what the card refers to.

    Raises OSError where it cannot.
    """
    import joblib  # noqa: PLC0415  # loading a model needs none, and goes without half its imports

    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    try:
        joblib.dump(arrays, draft / ARRAYS, compress=0)
        (draft / CARD).write_text(card, encoding="utf-8")
        for name, data in files.items():
            (draft / name).write_bytes(data)
        sealed = {
            **manifest,
            "format": FORMAT,
            "features": features.FORMAT,
            "heads": list(HEADS),
            "version": version,
            "files": {name: sha256(draft / name) for name in (ARRAYS, CARD, *files)},
        }
        text = json.dumps(sealed, indent=1, sort_keys=True, ensure_ascii=False)
        (draft / MANIFEST).write_text(text + "\n", encoding="utf-8")
        for name in (ARRAYS, CARD, *files, MANIFEST):
            with (draft / name).open("rb") as written:
                os.fsync(written.fileno())
        draft.chmod(0o755)
        draft.rename(folder / version)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return folder / version


def load(path: Path, second: SecondOpinion | None = None) -> Classifier:
    """The model in this folder, its weights mapped into memory and so shared between processes;
    with the second opinion, where that was measured beside it.

    Raises ModelRefused where a file is missing or is not what the manifest says.
    """
    manifest = read_manifest(path)
    arrays = _read_arrays(path)
    for name, (dtype, shape) in _SHAPES.items():
        array = arrays.get(name)
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
            raise ModelRefused(path.name, f"{path / ARRAYS} holds no {name} of {dtype}{shape}")
        if not array.flags.c_contiguous:
            raise ModelRefused(path.name, f"{path / ARRAYS} holds {name} in another order")
    try:
        classifier = Classifier(manifest["version"], manifest, arrays)
        _sing(classifier, manifest["canaries"])
        for head in VERDICT_HEADS:
            if not 0 <= classifier.threshold(head, _PROMISE) <= 1:
                raise ValueError(f"no threshold of {head} from 0 to 1")
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        problem = f"{path / MANIFEST} is not of this format ({type(error).__name__}: {error})"
        raise ModelRefused(path.name, problem) from error
    if second and second.fits(manifest):
        return Classifier(manifest["version"], manifest, arrays, second)
    return classifier


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest, once every file of the model is what it says. Raises ModelRefused."""
    place = path / MANIFEST
    try:
        manifest = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelRefused(path.name, f"{place} cannot be read ({error})") from error
    missing = [key for key in _NEEDED if not isinstance(manifest, dict) or key not in manifest]
    if missing:
        raise ModelRefused(path.name, f"{place} lacks {', '.join(missing)}")
    ours = (FORMAT, features.FORMAT, list(HEADS))
    if (manifest["format"], manifest["features"], manifest["heads"]) != ours:
        raise ModelRefused(path.name, f"{place} is of another format than {FORMAT}")
    if manifest["version"] != path.name:
        raise ModelRefused(path.name, f"{place} is of a model named {manifest['version']!r}")
    for name in (ARRAYS, CARD):
        file = path / name
        try:
            right = sha256(file) == manifest["files"][name]
        except (OSError, KeyError, TypeError) as error:
            raise ModelRefused(path.name, f"{file} cannot be read ({error})") from error
        if not right:
            raise ModelRefused(path.name, f"{file} was changed after training: its hash is another")
    sealed: dict[str, Any] = manifest
    return sealed


def sha256(file: Path) -> str:
    """The file's SHA-256 in hexadecimal. Raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# The one in Python, as joblib's own: the C reader would run ahead into an array's bytes.
_Reader: Any = pickle._Unpickler


class _Sealed(type):
    """A class that no file can change: a pickle may set attributes of whatever it can name."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise ValueError(f"sets {name} of a class")


class _PlainArray(metaclass=_Sealed):
    """joblib's stand-in for an array, whose bytes follow it in the file."""

    def mapped(self, stream: BufferedReader) -> npt.NDArray[Any]:
        """The array itself. One of objects would be a pickle of its own, and is refused."""
        state = vars(self)
        dtype, shape, order = state["dtype"], state["shape"], state["order"]
        plain = isinstance(dtype, np.dtype) and not dtype.hasobject
        if not plain or state["subclass"] is not np.ndarray:
            raise ValueError("not an array of plain numbers")
        if state.get("numpy_array_alignment_bytes") is not None:
            stream.seek(stream.read(1)[0], os.SEEK_CUR)
        array = np.memmap(stream.name, dtype, "r", stream.tell(), shape, order)
        stream.seek(array.nbytes, os.SEEK_CUR)
        return array


class _ArraysOnly(_Reader):  # type: ignore[misc]
    """Reads a dict of NumPy arrays; any other name in the file is refused, not looked up."""

    _NAMES: ClassVar = {
        ("joblib.numpy_pickle", "NumpyArrayWrapper"): _PlainArray,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def __init__(self, stream: BufferedReader) -> None:
        super().__init__(stream)
        self._stream = stream

    def load_build(self) -> None:
        """A stand-in is complete: its array takes its place."""
        super().load_build()
        if isinstance(self.stack[-1], _PlainArray):
            self.stack[-1] = self.stack[-1].mapped(self._stream)

    dispatch: ClassVar = {**_Reader.dispatch, pickle.BUILD[0]: load_build}

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._NAMES[module, name]
        except KeyError:
            raise ValueError(f"names {module}.{name}, which is no array") from None


def _read_arrays(path: Path) -> Arrays:
    file = path / ARRAYS
    try:
        with file.open("rb") as stream:
            arrays = _ArraysOnly(stream).load()
    except Exception as error:  # whatever a foreign file makes the reader stumble over
        problem = f"{file} is no file of arrays ({type(error).__name__}: {error})"
        raise ModelRefused(path.name, problem) from error
    if not isinstance(arrays, dict):
        raise ModelRefused(path.name, f"{file} is no dict of arrays")
    return arrays


def _sing(classifier: Classifier, canaries: list[dict[str, Any]]) -> None:
    """Scores the texts that the manifest knows the scores of, so that a model which computes
    something else on this machine never serves."""
    for canary in canaries:
        (assessment,) = classifier.assess([Comment(canary["text"])])
        for head in VERDICT_HEADS:
            if not abs(assessment.scores[head] - canary[head]) <= _CANARY_TOLERANCE:
                problem = (
                    f"it scores {assessment.scores[head]} for {head} on a text of its manifest "
                    f"where training had {canary[head]}"
                )
                raise ModelRefused(classifier.version, problem)
