"""A model on disk: what was written is what is read, and nothing else is, nor does it run."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation import artefact
from moderation.artefact import ARRAYS, CARD, MANIFEST
from moderation.errors import ModelRefused
from moderation.features import BITS
from moderation.verdict import Comment
from moderation.weights import HEADS
from tests.small_models import installed, manifest, noise, zeros

SHAPE = (1 << BITS, len(HEADS))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("models"), "good-1", noise())


@pytest.fixture
def model(original: Path, tmp_path: Path) -> Path:
    """A good model to spoil."""
    return Path(shutil.copytree(original, tmp_path / "good-1"))


def refused(model: Path, file: str) -> str:
    """The sentence that a model is refused with, which names the file and the mend."""
    with pytest.raises(ModelRefused) as caught:
        artefact.load(model)
    sentence = str(caught.value)
    assert str(model / file) in sentence
    assert "Train it again, or activate another one" in sentence
    assert "\n" not in sentence
    return sentence


def edited(model: Path, **changes: Any) -> None:
    """Changes the manifest; a value of None takes the entry out."""
    place = model / MANIFEST
    entries = json.loads(place.read_text()) | changes
    place.write_text(json.dumps({k: v for k, v in entries.items() if v is not None}))


def sealed(model: Path) -> Path:
    """Makes the manifest vouch for the files as they are now."""
    edited(model, files={name: artefact.sha256(model / name) for name in (ARRAYS, CARD)})
    return model


# ---------------------------------------------------------------- there and back


def test_a_model_is_read_as_it_was_written(model: Path) -> None:
    arrays = noise()
    loaded = artefact.load(model)
    assert loaded.version == "good-1"
    for array, name in zip(loaded.weights.arrays(), ("weights", "scale", "bias"), strict=True):
        assert (array == arrays[name]).all()


def test_the_weights_are_mapped_not_copied(model: Path) -> None:
    table: Any = artefact.load(model).weights.arrays()[0]
    while not isinstance(table, np.memmap):
        assert table.base is not None, "the weights are a copy in memory"
        table = table.base
    assert Path(str(table.filename)) == model / ARRAYS
    assert not table.flags.writeable


def test_the_manifest_vouches_for_every_file(tmp_path: Path) -> None:
    given_files = {"plot.png": b"\x89PNG", "label-report.csv": b"corpus,row\n"}
    path = artefact.save(tmp_path, "v1", zeros(), manifest(canaries=[]), "# Card\n", given_files)
    files = json.loads((path / MANIFEST).read_text())["files"]
    assert files == {
        name: artefact.sha256(path / name)
        for name in (ARRAYS, CARD, "plot.png", "label-report.csv")
    }
    assert {file.name for file in path.iterdir()} == {*files, MANIFEST}
    assert oct(path.stat().st_mode & 0o777) == "0o755"


def test_a_model_that_cannot_be_written_whole_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        artefact.save(tmp_path / "models", "v1", zeros(), manifest(), "# Card\n", {"no/dir": b""})
    assert list((tmp_path / "models").iterdir()) == []


def test_a_model_is_never_written_over(model: Path) -> None:
    before = artefact.sha256(model / ARRAYS)
    with pytest.raises(OSError, match=r"not empty|exists"):
        artefact.save(model.parent, "good-1", zeros(), manifest(), "# Card\n", {})
    assert artefact.sha256(model / ARRAYS) == before
    assert [place.name for place in model.parent.iterdir()] == ["good-1"]


# ---------------------------------------------------------------- spoilt files


@pytest.mark.parametrize("file", [ARRAYS, MANIFEST, CARD])
def test_a_missing_file_is_named(model: Path, file: str) -> None:
    (model / file).unlink()
    assert "cannot be read" in refused(model, file)


@pytest.mark.parametrize("file", [ARRAYS, MANIFEST, CARD])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_named(model: Path, file: str, share: float) -> None:
    place = model / file
    os.truncate(place, int(place.stat().st_size * share))
    refused(model, file)


@pytest.mark.parametrize("where", [0, 200, 5_000_000, -1])
def test_one_changed_byte_of_the_weights_is_found(model: Path, where: int) -> None:
    data = bytearray((model / ARRAYS).read_bytes())
    data[where] ^= 1
    (model / ARRAYS).write_bytes(data)
    assert "its hash is another" in refused(model, ARRAYS)


def test_a_changed_card_is_found(model: Path) -> None:
    (model / CARD).write_text("# The best model\n")
    assert "its hash is another" in refused(model, CARD)


@pytest.mark.parametrize("share", [0.0, 0.00001, 0.5, 0.999])
def test_a_truncated_file_with_the_right_hash_is_refused(model: Path, share: float) -> None:
    place = model / ARRAYS
    os.truncate(place, int(place.stat().st_size * share))
    refused(sealed(model), ARRAYS)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": "1"},
        {"features": 99},
        {"heads": ["spam"]},
        {"heads": list(HEADS[::-1])},
    ],
)
def test_a_model_of_another_format_is_refused(model: Path, changes: dict[str, Any]) -> None:
    edited(model, **changes)
    assert "another format" in refused(model, MANIFEST)


@pytest.mark.parametrize(
    "entry",
    ["format", "features", "version", "files", "heads", "calibration", "thresholds", "languages",
     "canaries"],
)  # fmt: skip
def test_a_manifest_that_lacks_an_entry_is_refused(model: Path, entry: str) -> None:
    edited(model, **{entry: None})
    assert f"lacks {entry}" in refused(model, MANIFEST)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"model"', "\x00", "[" * 100_000, "\ufeff{}"]
)
def test_a_manifest_that_is_none_is_refused(model: Path, text: str) -> None:
    (model / MANIFEST).write_text(text, encoding="utf-8")
    refused(model, MANIFEST)


def test_a_manifest_that_is_not_utf8_is_refused(model: Path) -> None:
    (model / MANIFEST).write_bytes(b'{"version": "\xff"}')
    refused(model, MANIFEST)


def test_a_model_under_another_name_is_refused(model: Path) -> None:
    other = model.rename(model.with_name("good-2"))
    assert "a model named 'good-1'" in refused(other, MANIFEST)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=40)
@given(
    st.sampled_from(["calibration", "thresholds", "languages", "canaries", "files", "version"]),
    anything,
)
def test_whatever_a_manifest_holds_the_model_loads_or_is_refused(
    original: Path, entry: str, value: Any
) -> None:
    place = original / MANIFEST
    good = place.read_text()
    try:
        place.write_text(json.dumps(json.loads(good) | {entry: value}))
        artefact.load(original).assess([Comment("cheap pills")])
    except ModelRefused as error:
        assert str(original) in str(error)
    finally:
        place.write_text(good)


@pytest.mark.parametrize(
    "thresholds", [{}, {"spam": [], "abuse": []}, {"spam": [[0.005, 7]], "abuse": [[0.005, 0.5]]}]
)
def test_a_model_without_sound_thresholds_is_refused(model: Path, thresholds: Any) -> None:
    edited(model, thresholds=thresholds)
    assert "not of this format" in refused(model, MANIFEST)


def test_a_model_that_scores_otherwise_here_than_in_training_is_refused(model: Path) -> None:
    edited(model, canaries=[{"text": "Cheap pills here", "spam": 0.123, "abuse": 0.456}])
    with pytest.raises(ModelRefused, match=r"where training had 0\.123"):
        artefact.load(model)


# ---------------------------------------------------------------- foreign files, hash and all


def zipped(place: Path) -> None:
    with zipfile.ZipFile(place, "w") as packed:
        packed.writestr("weights.npy", b"")


def numpy_archive(place: Path) -> None:
    with place.open("wb") as file:
        np.savez(file, allow_pickle=False, weights=np.zeros(3))


FOREIGN: dict[str, Callable[[Path], object]] = {
    "text": lambda place: place.write_text("this is no model"),
    "nothing": lambda place: place.write_bytes(b""),
    "zip": zipped,
    "npz": numpy_archive,
    "one array": lambda place: joblib.dump(np.zeros(SHAPE, np.int8), place),
    "a list of arrays": lambda place: joblib.dump([*zeros().values()], place),
    "an ordered dict": lambda place: joblib.dump(OrderedDict(zeros()), place),
    "compressed": lambda place: joblib.dump(zeros(), place, compress=3),
    "no bias": lambda place: joblib.dump({k: v for k, v in zeros().items() if k != "bias"}, place),
    "weights of another type": lambda place: joblib.dump(
        zeros() | {"weights": np.zeros(SHAPE, np.uint8)}, place
    ),
    "weights of another shape": lambda place: joblib.dump(
        zeros() | {"weights": np.zeros(SHAPE[::-1], np.int8)}, place
    ),
    "weights in another order": lambda place: joblib.dump(
        zeros() | {"weights": np.zeros(SHAPE, np.int8, order="F")}, place
    ),
    "numbers instead of arrays": lambda place: joblib.dump(zeros() | {"bias": [0.0] * 8}, place),
    "not-a-number bias": lambda place: joblib.dump(zeros() | {"bias": np.full(8, 1.0)}, place),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_refused_even_with_the_right_hash(model: Path, kind: str) -> None:
    FOREIGN[kind](model / ARRAYS)
    refused(sealed(model), ARRAYS)


def test_a_bias_that_is_no_number_never_serves(model: Path) -> None:
    joblib.dump(zeros() | {"bias": np.full(8, np.nan, np.float32)}, model / ARRAYS)
    with pytest.raises(ModelRefused):
        artefact.load(sealed(model))


# ---------------------------------------------------------------- code in the file


class Runs:
    """Unpickled by any common reader, it makes a folder."""

    def __init__(self, marker: Path, function: Callable[..., object] = os.mkdir) -> None:
        self.call = (function, (str(marker),))

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return self.call


def shell(marker: Path) -> object:
    return os.system(f"mkdir '{marker}'")


class Shells(Runs):
    """As above, through a shell."""

    def __init__(self, marker: Path) -> None:
        super().__init__(Path(f"mkdir '{marker}'"), os.system)


def objects(marker: Path) -> np.ndarray[Any, Any]:
    array = np.empty(1, object)
    array[0] = Runs(marker)
    return array


def structured(marker: Path) -> np.ndarray[Any, Any]:
    array = np.empty(1, [("number", "i4"), ("thing", object)])
    array["thing"][0] = Runs(marker)
    return array


def mapped(place: Path) -> None:
    on_disk = np.memmap(place.with_name("other.bin"), np.float32, "w+", shape=(8,))
    joblib.dump(zeros() | {"bias": on_disk}, place)


CODE: dict[str, Callable[[Path, Path], object]] = {
    "pickled": lambda place, marker: place.write_bytes(pickle.dumps(Runs(marker))),
    "pickled in protocol 0": lambda place, marker: place.write_bytes(
        pickle.dumps(Runs(marker), protocol=0)
    ),
    "through a shell": lambda place, marker: joblib.dump(Shells(marker), place),
    "beside the arrays": lambda place, marker: joblib.dump(zeros() | {"x": Runs(marker)}, place),
    "as a key": lambda place, marker: joblib.dump({(1, Runs(marker)): 2}, place),
    "array of objects": lambda place, marker: joblib.dump(zeros() | {"x": objects(marker)}, place),
    "pickled array of objects": lambda place, marker: place.write_bytes(
        pickle.dumps(zeros() | {"x": objects(marker)})
    ),
    "array with a field of objects": lambda place, marker: joblib.dump(
        zeros() | {"x": structured(marker)}, place
    ),
    "array of its own class": lambda place, marker: joblib.dump(
        zeros() | {"bias": np.zeros(8, np.float32).view(np.recarray)}, place
    ),
    "array mapped from another file": lambda place, marker: mapped(place),
    "dtype with code in its metadata": lambda place, marker: place.write_bytes(
        pickle.dumps(np.dtype("i4", metadata={"x": Runs(marker)}))
    ),
}


@pytest.mark.parametrize("kind", CODE)
@pytest.mark.filterwarnings("ignore:.*metadata on a dtype")
def test_code_in_a_file_is_refused_and_does_not_run(model: Path, kind: str) -> None:
    marker = model.parent / "it-ran"
    CODE[kind](model / ARRAYS, marker)
    refused(sealed(model), ARRAYS)
    assert not marker.exists()


def test_the_test_above_would_see_code_that_runs(tmp_path: Path) -> None:
    joblib.dump(zeros() | {"x": objects(tmp_path / "it-ran")}, tmp_path / ARRAYS)
    joblib.load(tmp_path / ARRAYS)
    assert (tmp_path / "it-ran").exists()


def hand_written(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def word(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


WRAPPER = name("joblib.numpy_pickle", "NumpyArrayWrapper")
ARRAY = name("numpy", "ndarray")


@pytest.mark.parametrize(
    "module, attribute",
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("subprocess", "Popen"),
        ("numpy", "load"),
        ("numpy", "memmap"),
        ("numpy", "ndarray.tofile"),
        ("joblib.numpy_pickle", "NDArrayWrapper"),
        ("joblib.numpy_pickle_compat", "NDArrayWrapper"),
        ("moderation.artefact", "_PlainArray"),
        ("numpy._core.multiarray", "_reconstruct"),
    ],
)
def test_a_file_may_name_nothing_but_arrays(model: Path, module: str, attribute: str) -> None:
    (model / ARRAYS).write_bytes(hand_written(name(module, attribute)))
    assert f"names {module}.{attribute}" in refused(sealed(model), ARRAYS)


HAND_WRITTEN = {
    "sets a method of a class it may name": hand_written(
        WRAPPER, b"N", b"}", word("read"), ARRAY, b"s", b"\x86", b"b"
    ),
    "sets an attribute of NumPy's class": hand_written(
        ARRAY, b"N", b"}", word("shape"), b"N", b"s", b"\x86", b"b"
    ),
    "passes something else off as a dtype": hand_written(
        WRAPPER, b")", b"\x81", b"}", b"(",
        word("subclass"), ARRAY,
        word("dtype"), WRAPPER, b")", b"\x81", b"}", word("hasobject"), b"\x89", b"s", b"b",
        b"u", b"b",
    ),
    "array beyond all memory": hand_written(
        ARRAY, b"(", b"\x8a\x07" + b"\xff" * 6 + b"\x0f", b"\x85", b"\x85", b"R"
    ),
    "empty array of objects": hand_written(ARRAY, b"K\x01\x85", word("O"), b"\x86", b"R"),
    "frame beyond the end": hand_written(b"\x95" + b"\xff" * 8),
    "nothing to call": hand_written(b"R"),
    "reference from outside": hand_written(b"P1\n"),
    "extension registry": hand_written(b"\x82\x01"),
    "protocol of the future": b"\x80\xff.",
}  # fmt: skip


@pytest.mark.parametrize("kind", HAND_WRITTEN)
def test_a_file_written_by_hand_leaves_the_reader_as_it_was(
    model: Path, kind: str, tmp_path: Path
) -> None:
    (model / ARRAYS).write_bytes(HAND_WRITTEN[kind])
    refused(sealed(model), ARRAYS)
    other = installed(tmp_path / "others", "good-9")
    assert artefact.load(other).version == "good-9"
