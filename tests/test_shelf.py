"""Installed models: switching, going back, and a running service that follows."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moderation import shelf as shelves
from moderation.artefact import ARRAYS, MANIFEST
from moderation.errors import ModelRefused, UnknownModel
from moderation.shelf import ModelShelf
from moderation.verdict import Comment
from tests.small_models import installed, zeros

OTHER_PROCESS = """
import sys
from pathlib import Path
from moderation.shelf import ModelShelf
from moderation.verdict import Comment
shelf = ModelShelf(Path(sys.argv[1]))
for line in sys.stdin:
    model = shelf.active()
    print(model.version, model.assess([Comment("hello")])[0].scores["spam"], flush=True)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models, the score of each another."""
    folder = tmp_path_factory.mktemp("originals")
    for number in (1, 2, 3):
        installed(folder, f"m{number}", zeros(bias=float(-number)))
    return folder


@pytest.fixture
def shelf(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelShelf:
    """m1 comes with the package, m2 and m3 were trained here."""
    package, own = tmp_path / "package", tmp_path / "own"
    shutil.copytree(models / "m1", package / "m1")
    for name in ("m2", "m3"):
        shutil.copytree(models / name, own / name)
    monkeypatch.setattr(shelves, "shipped", lambda: package)
    return ModelShelf(own)


def history(shelf: ModelShelf) -> list[str]:
    found: list[str] = json.loads((shelf.folder / "active.json").read_text())["history"]
    return found


def point(shelf: ModelShelf, *versions: str) -> None:
    """What a careless person or another program would write."""
    (shelf.folder / "active.json").write_text(json.dumps({"history": versions}))


# ---------------------------------------------------------------- which models there are


def test_the_shipped_model_serves_where_nothing_was_activated(shelf: ModelShelf) -> None:
    assert shelf.versions() == ["m1", "m2", "m3"]
    assert shelf.active().version == shelf.active_version() == "m1"
    assert not (shelf.folder / "active.json").exists()


def test_a_folder_that_is_not_there_yet_has_the_shipped_model(
    shelf: ModelShelf, tmp_path: Path
) -> None:
    fresh = ModelShelf(tmp_path / "not" / "yet")
    assert fresh.versions() == ["m1"]
    assert fresh.active().version == "m1"
    fresh.activate("m1")
    assert fresh.active().version == "m1"


def test_without_any_model_there_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "shipped", lambda: tmp_path / "none")
    empty = ModelShelf(tmp_path / "empty")
    assert empty.versions() == []
    with pytest.raises(UnknownModel, match="Installed: none"):
        empty.active()


def test_drafts_and_stray_files_are_no_models(shelf: ModelShelf) -> None:
    shutil.copytree(shelf.folder / "m2", shelf.folder / ".draft-x")
    shutil.copytree(shelf.folder / "m2", shelf.folder / "odd name")
    (shelf.folder / "notes").mkdir()
    (shelf.folder / "readme.txt").write_text("")
    assert shelf.versions() == ["m1", "m2", "m3"]


def test_a_model_says_of_itself_what_its_manifest_says(shelf: ModelShelf) -> None:
    assert shelf.manifest("m2")["version"] == "m2"


@pytest.mark.parametrize(
    "version",
    ["../own/m2", "../package/m1", "m2/../m3", "/etc", "", ".", "..", "m2/", "./m2", "m2\x00",
     "m2\n", "M2", "m4", "C:\\m2", "..\\m2", "~", "x" * 5000],
)  # fmt: skip
def test_a_version_that_is_not_installed_is_unknown_whatever_path_it_spells(
    shelf: ModelShelf, version: str
) -> None:
    for ask in (shelf.load, shelf.activate, shelf.manifest):
        with pytest.raises(UnknownModel, match="Installed: m1, m2, m3"):
            ask(version)
    assert shelf.active().version == "m1"


# ---------------------------------------------------------------- there and back


def test_activating_switches_and_rolling_back_returns(shelf: ModelShelf) -> None:
    assert shelf.activate("m2").version == "m2"
    shelf.activate("m3")
    assert shelf.active().version == "m3"
    assert history(shelf) == ["m1", "m2", "m3"]
    assert shelf.rollback() == "m2"
    assert shelf.active().version == "m2"
    assert shelf.rollback() == "m1"
    assert shelf.active().version == "m1"
    with pytest.raises(UnknownModel, match="nothing to go back to"):
        shelf.rollback()
    assert shelf.active().version == "m1"


def test_activating_the_active_model_again_leaves_the_way_back(shelf: ModelShelf) -> None:
    shelf.activate("m2")
    shelf.activate("m2")
    assert shelf.rollback() == "m1"


def test_the_history_does_not_grow_without_end(shelf: ModelShelf) -> None:
    point(shelf, *["m2", "m3"] * 200)
    shelf.activate("m2")
    assert len(history(shelf)) <= 50
    assert shelf.rollback() == "m3"


def test_a_broken_model_is_not_activated(shelf: ModelShelf) -> None:
    shelf.activate("m2")
    (shelf.folder / "m3" / ARRAYS).write_bytes(b"")
    with pytest.raises(ModelRefused, match=ARRAYS):
        shelf.activate("m3")
    assert (shelf.active().version, history(shelf)) == ("m2", ["m1", "m2"])


def test_there_is_no_way_back_to_a_model_that_broke(shelf: ModelShelf) -> None:
    shelf.activate("m2")
    shelf.activate("m3")
    (shelf.folder / "m2" / MANIFEST).write_text("{}")
    with pytest.raises(ModelRefused):
        shelf.rollback()
    assert shelf.active().version == "m3"
    shelf.activate("m1")
    assert shelf.active().version == "m1"


# ---------------------------------------------------------------- while serving


def test_another_shelf_of_the_folder_follows(shelf: ModelShelf) -> None:
    service = ModelShelf(shelf.folder)
    assert service.active().version == "m1"
    shelf.activate("m2")
    assert service.active().version == "m2"
    shelf.rollback()
    assert service.active().version == "m1"


def test_the_active_model_is_loaded_once(shelf: ModelShelf) -> None:
    assert shelf.active() is shelf.active()
    shelf.activate("m2")
    assert shelf.active() is shelf.active()


def test_a_broken_model_leaves_the_old_one_serving(
    shelf: ModelShelf, caplog: pytest.LogCaptureFixture
) -> None:
    before = shelf.active()
    (shelf.folder / "m2" / ARRAYS).write_bytes(b"no model")
    point(shelf, "m1", "m2")
    with caplog.at_level(logging.ERROR):
        assert shelf.active() is before
        assert shelf.active() is before
    (record,) = caplog.records
    assert "still serving model m1" in record.getMessage()
    assert str(shelf.folder / "m2" / ARRAYS) in record.getMessage()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"history": "m2"}', '{"history": [2]}', '{"history": {"m2": 1}}',
     "[" * 99_999, '{"history": ["m9"]}', '{"history": ["../own/m2"]}', '{"history": null}'],
)  # fmt: skip
def test_a_broken_pointer_leaves_the_old_model_serving_and_activating_mends_it(
    shelf: ModelShelf, text: str
) -> None:
    before = shelf.active()
    (shelf.folder / "active.json").write_text(text)
    assert shelf.active() is before
    with pytest.raises(ModelRefused, match=r"active\.json"):
        ModelShelf(shelf.folder).active()
    shelf.activate("m2")
    assert shelf.active().version == ModelShelf(shelf.folder).active().version == "m2"


def test_a_mended_model_serves_once_it_is_activated_again(shelf: ModelShelf) -> None:
    service = ModelShelf(shelf.folder)
    service.active()
    weights = (shelf.folder / "m2" / ARRAYS).read_bytes()
    (shelf.folder / "m2" / ARRAYS).write_bytes(b"")
    point(shelf, "m1", "m2")
    assert service.active().version == "m1"
    (shelf.folder / "m2" / ARRAYS).write_bytes(weights)
    shelf.activate("m2")
    assert service.active().version == "m2"


def test_a_model_in_service_survives_its_folder(shelf: ModelShelf) -> None:
    shelf.activate("m2")
    model = shelf.active()
    shutil.rmtree(shelf.folder / "m2")
    assert model.assess([Comment("hello")])[0].scores["spam"] == pytest.approx(0.1192, abs=1e-4)
    assert shelf.active() is model


@pytest.fixture
def other(models: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A service in a process of its own, which tells its model whenever it is asked."""
    shutil.copytree(models, tmp_path / "shared")
    point(ModelShelf(tmp_path / "shared"), "m1")
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(tmp_path / "shared")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("?\n")
    process.stdin.flush()
    return process.stdout.readline().split()[0]


def test_a_service_in_another_process_takes_the_new_model(
    other: subprocess.Popen[str], tmp_path: Path
) -> None:
    here = ModelShelf(tmp_path / "shared")
    assert told(other) == "m1"
    here.activate("m3")
    assert told(other) == "m3"
    assert here.rollback() == "m1"
    assert told(other) == "m1"
    (tmp_path / "shared" / "m2" / ARRAYS).write_bytes(b"broken")
    point(here, "m1", "m2")
    assert told(other) == "m1"
    here.activate("m3")
    assert told(other) == "m3"


def test_activations_at_once_leave_one_of_them_whole(shelf: ModelShelf) -> None:
    service = ModelShelf(shelf.folder)

    def switch(number: int) -> None:
        (shelf if number % 4 < 2 else ModelShelf(shelf.folder)).activate(f"m{number % 3 + 1}")

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(switch, number) for number in range(24)]
        seen = {service.active().version for _ in range(200)}
        for each in running:
            each.result()
    assert seen <= {"m1", "m2", "m3"}
    assert service.active().version == shelf.active().version == history(shelf)[-1]
    assert {place.name for place in shelf.folder.iterdir()} == {"m2", "m3", "active.json"}
    shelf.rollback()
