"""`moderation doctor`: what is wrong is named, with the way to mend it."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from moderation.commands.doctor import doctor
from moderation.store import Store
from moderation.store.tables import comments
from tests.serving import (
    COMMAND,
    ROOT,
    app_in,
    clean_environment,
    client_of,
    configured,
    environment,
    write_model,
)


class Said(NamedTuple):
    code: int
    wrong: str
    well: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / "models")
    client_of(app_in(tmp_path)).post("/v1/comments", json={"content": "x"})
    return tmp_path


def said(folder: Path, *options: str, **given: object) -> Said:
    environ = {**clean_environment(), **environment(folder, **given)}
    result = CliRunner(env=environ).invoke(doctor, options, standalone_mode=False)
    assert result.exception is None
    lines = result.output.splitlines()
    wrong = [line for line in lines if line.startswith("mend")]
    assert all("→" in line for line in wrong)
    return Said(result.return_value, "\n".join(wrong), "\n".join({*lines} - {*wrong}))


def test_where_all_is_well_it_says_what_it_saw_and_exits_0(folder: Path) -> None:
    code, wrong, well = said(folder)
    assert (code, wrong) == (0, "")
    for part in ("configuration", "database", "keys", "clock", "model", "disk", "workers"):
        assert f"{part}: " in well
    assert "small-1 is active" in well


def test_before_the_first_start_it_makes_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, models=tmp_path / "none").code == 0
    assert [*tmp_path.iterdir()] == []


def test_a_setting_that_cannot_be_read_is_named(folder: Path) -> None:
    assert "MODERATION_PROT" in said(folder, prot="1").wrong
    assert "MODERATION_WORKERS" in said(folder, workers="many").wrong


def test_an_address_without_a_key_is_named(folder: Path) -> None:
    code, wrong, _ = said(folder, host="0.0.0.0")
    assert code == 1
    assert "moderation keys create" in wrong
    store = Store.open(configured(folder).database)
    store.keys.create("default", "admin")
    store.close()
    assert "keys: 1 in use" in said(folder, host="0.0.0.0").well


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://127.0.0.1:1/x", "x://", "sqlite://"])
def test_a_database_that_cannot_be_used_is_named(folder: Path, url: str) -> None:
    code, wrong, _ = said(folder, database=url)
    assert code == 1
    assert "MODERATION_DATABASE" in wrong


def test_a_file_that_is_no_database_is_named(folder: Path) -> None:
    (folder / "other.db").write_bytes(b"no database" * 1000)
    assert "database: " in said(folder, database=f"sqlite:///{folder}/other.db").wrong


def test_a_model_that_was_changed_is_named(folder: Path) -> None:
    with (folder / "models" / "small-1" / "model.joblib").open("ab") as file:
        file.write(b"x")
    code, wrong, _ = said(folder)
    assert code == 1
    assert "small-1" in wrong


def test_rights_of_others_are_named(folder: Path) -> None:
    (folder / "models").chmod(0o777)
    (folder / "comments.db").chmod(0o666)
    folder.chmod(0o700)
    assert said(folder).wrong == ""
    folder.chmod(0o711)
    wrong = said(folder).wrong
    assert "chmod o-w" in wrong
    assert "chmod o-rwx" in wrong


def test_a_disk_that_is_nearly_full_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(5 << 20))
    assert "disk: 0.0 GiB free" in said(folder).wrong


def test_a_clock_that_was_set_back_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = sa.create_engine(configured(folder).database)
    with engine.begin() as connection:
        connection.execute(sa.update(comments).values(received=time.time() + 3600))
    engine.dispose()
    assert "clock: it is 3600 seconds off" in said(folder).wrong
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert "clock: it says" in said(folder).wrong


def test_more_workers_than_processors_are_named(folder: Path) -> None:
    assert "MODERATION_WORKERS" in said(folder, workers=256).wrong


def test_as_a_command_it_exits_1_and_a_wrong_option_2(folder: Path) -> None:
    def run(*options: str, **given: Any) -> int:
        environ = {**clean_environment(), **environment(folder, **given)}
        command = [*COMMAND, "doctor", *options]
        done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, check=False)
        return done.returncode

    assert run(host="0.0.0.0") == 1
    assert run("--models-dir", str(folder / "models")) == 0
    assert run("--nothing") == 2
