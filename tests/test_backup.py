"""`moderation backup` and `restore`: what the running service has answered is in the copy, and a
copy that is not sound, or not meant for this place, changes nothing."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sqlite3
import stat
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from moderation.store import Store
from tests.serving import (
    Served,
    clean_environment,
    environment,
    moderation,
    write_model,
)

BACKUP = "copy.tar.gz"


def all_of(folder: Path) -> dict[str, bytes]:
    """Every file in a folder and below."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A place with a model, a key and a comment in it."""
    folder = tmp_path / "old"
    write_model(folder / "models")
    store = Store.open(environment(folder)["MODERATION_DATABASE"])
    store.keys.create("default", "admin", "Ann")
    store.close()
    return folder


@pytest.fixture
def backup(old: Path, tmp_path: Path) -> Path:
    moderation(old, "backup", tmp_path / BACKUP)
    return tmp_path / BACKUP


@pytest.fixture
def new(tmp_path: Path) -> Path:
    folder = tmp_path / "new"
    folder.mkdir()
    return folder


def test_what_the_service_answered_while_it_was_copied_serves_elsewhere(
    tmp_path: Path, new: Path
) -> None:
    old = tmp_path / "old"
    write_model(old / "models", "trained-here")
    store = Store.open(environment(old)["MODERATION_DATABASE"])
    auth = {"Authorization": f"Bearer {store.keys.create('default', 'admin')}"}
    store.close()
    answered: list[str] = []
    over = threading.Event()

    def write(served: Served) -> None:
        while not over.is_set():
            number = len(answered)
            comment = {"content": f"Comment {number}", "external_id": str(number)}
            answered.append(served.call("POST", "/v1/comments", comment, auth).json["id"])

    with Served(old, "--workers", "2") as served:
        writer = threading.Thread(target=write, args=(served,))
        writer.start()
        while len(answered) < 20:
            time.sleep(0.01)
        before = len(answered)
        moderation(old, "backup", tmp_path / BACKUP)
        over.set()
        writer.join()
    assert len(answered) > before  # it went on meanwhile
    assert stat.S_IMODE((tmp_path / BACKUP).stat().st_mode) == 0o600

    said = moderation(new, "restore", tmp_path / BACKUP)
    assert "trained-here" in said
    with Served(new) as served:
        for number in range(before):
            found = served.call("GET", f"/v1/comments/{answered[number]}", headers=auth)
            assert found.json["content"] == f"Comment {number}"
        again = served.call(
            "POST", "/v1/comments", {"content": "Comment 3", "external_id": "3"}, auth
        )
        assert again.json["id"] == answered[3]
        assert again.json["model"] == "trained-here"
    assert moderation(new, "doctor") == ""
    assert [p for p in (*tmp_path.iterdir(), *new.iterdir()) if p.name.startswith(".")] == []


def test_a_backup_takes_the_place_of_another_only_once_it_is_whole(
    old: Path, tmp_path: Path
) -> None:
    (tmp_path / BACKUP).write_bytes(b"the one of yesterday")
    (old / "comments.db").write_bytes(b"no database" * 1000)
    assert "cannot be read" in moderation(old, "backup", tmp_path / BACKUP, code=2)
    assert (tmp_path / BACKUP).read_bytes() == b"the one of yesterday"
    assert {p.name for p in tmp_path.iterdir()} == {"old", BACKUP}


def test_where_there_is_no_database_none_is_made(new: Path) -> None:
    assert "is not there" in moderation(new, "backup", new / BACKUP, code=2)
    assert [*new.iterdir()] == []


def test_nothing_is_overwritten_unless_told(backup: Path, old: Path) -> None:
    before = all_of(old)
    assert "--overwrite" in moderation(old, "restore", backup, code=2)
    shutil.move(old / "comments.db", old / "elsewhere.db")
    assert "--overwrite" in moderation(old, "restore", backup, code=2)  # the model of that name
    shutil.move(old / "elsewhere.db", old / "comments.db")
    assert all_of(old) == before


def test_told_to_it_overwrites_and_keeps_the_models_that_are_not_in_it(
    backup: Path, old: Path
) -> None:
    write_model(old / "models", "later")
    moderation(old, "keys", "create", "--site", "default", "--role", "admin", "--name", "Bo")
    moderation(old, "restore", backup, "--overwrite")
    with closing(sqlite3.connect(old / "comments.db")) as opened:
        assert opened.execute("SELECT name FROM keys").fetchall() == [("Ann",)]
    assert (old / "models" / "later").is_dir()
    assert "small-1" in (old / "models" / "active.json").read_text()


def test_a_broken_database_is_what_a_backup_mends(backup: Path, old: Path) -> None:
    (old / "comments.db").write_bytes(b"no database" * 1000)
    (old / "comments.db-wal").write_bytes(b"of it")
    moderation(old, "restore", backup, "--overwrite")
    assert moderation(old, "doctor") == ""


def test_beneath_a_running_service_nothing_is_replaced(backup: Path, old: Path) -> None:
    with Served(old) as served:
        assert "is in use" in moderation(old, "restore", backup, "--overwrite", code=2)
        assert served.call("GET", "/readyz").status == 200


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
        opened.commit()


def torn(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.seek(4096 * 2)
        stream.write(os.urandom(4096 * 4))


def not_ours(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("CREATE TABLE comments (words TEXT)")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (newer, "at schema 9999"),
        (torn, "damaged|malformed"),
        (not_ours, "did not make"),
        (lambda file: file.write_bytes(b"no database" * 1000), "not a database"),
        (Path.unlink, "no backup"),
    ],
    ids=["newer", "torn", "not ours", "no database", "none"],
)
def test_a_database_that_cannot_be_used_is_not_restored(
    spoil: Callable[[Path], object], said: str, backup: Path, new: Path, tmp_path: Path
) -> None:
    with tarfile.open(backup) as archive:
        archive.extraction_filter = staticmethod(lambda member, _: member)  # it is our own
        archive.extractall(tmp_path / "opened")
    spoil(tmp_path / "opened" / "moderation.db")
    with tarfile.open(backup, "w:gz") as archive:
        for file in sorted((tmp_path / "opened").rglob("*")):
            if file.is_file():
                archive.add(file, str(file.relative_to(tmp_path / "opened")))
    message = moderation(new, "restore", backup, code=2)
    assert any(part in message for part in said.split("|")), message
    assert all_of(new) == {}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_backup_that_was_cut_off_is_refused(
    share: float, backup: Path, old: Path, tmp_path: Path
) -> None:
    before = all_of(old)
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(len(whole) * share)])
    assert "not a whole backup" in moderation(old, "restore", backup, "--overwrite", code=2)
    assert all_of(old) == before


def test_a_changed_byte_is_noticed(backup: Path, new: Path) -> None:
    tar = bytearray(gzip.decompress(backup.read_bytes()))
    tar[len(tar) // 2] ^= 1
    packed = gzip.compress(bytes(tar), 1)
    whole = bytearray(gzip.compress(gzip.decompress(backup.read_bytes()), 1))
    whole[: len(packed) - 8] = packed[:-8]  # the bytes of one, the checksum of the other
    backup.write_bytes(whole)
    assert "not a whole backup" in moderation(new, "restore", backup, code=2)
    assert all_of(new) == {}


@pytest.mark.parametrize(
    "name",
    ["../evil", "/tmp/evil", "models/../../evil", "models/x/y/z", "models/.x/y", "other.db"],
)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE])
def test_an_archive_that_reaches_elsewhere_is_refused(
    name: str, kind: bytes, new: Path, tmp_path: Path
) -> None:
    member = tarfile.TarInfo(name if kind == tarfile.REGTYPE else "moderation.db")
    member.type, member.linkname = kind, "/etc/passwd"
    member.size = 4 if kind == tarfile.REGTYPE else 0
    with tarfile.open(tmp_path / BACKUP, "w:gz") as archive:
        archive.addfile(member, io.BytesIO(b"evil"))
    assert "which no backup does" in moderation(new, "restore", tmp_path / BACKUP, code=2)
    assert all_of(tmp_path).keys() == {BACKUP}


@pytest.mark.parametrize(
    ("command", "program"),
    [(("backup", "x.tar.gz"), "pg_dump "), (("restore", __file__), "pg_restore ")],
)
def test_for_postgresql_it_names_the_program_that_does_it(
    command: tuple[str, ...], program: str, new: Path
) -> None:
    url = "postgresql+psycopg://ann:secret@db.example:5433/moderation"
    said = moderation(new, *command, code=2, database=url)
    assert program in said
    assert "'postgresql://ann@db.example:5433/moderation'" in said
    assert "secret" not in said
    assert str(new / "models") in said


def test_the_lines_for_postgresql_do_it(postgres_url: str, new: Path, tmp_path: Path) -> None:
    database = {"database": postgres_url}
    store = Store.open(postgres_url)
    key = store.keys.create("default", "submit", "Kim")
    store.close()
    environ = {**clean_environment(), **_programs()}
    for command in (("backup", "x.tar.gz"), ("restore", __file__)):
        said = moderation(new, *command, code=2, **database)
        line = said[said.index("pg_") : said.index(" — ")]
        subprocess.run(line, shell=True, check=True, cwd=tmp_path, env=environ)
        if command[0] == "backup":
            store = Store.open(postgres_url)
            store.keys.revoke(key)
            store.close()
    store = Store.open(postgres_url)
    assert store.keys.find(key)
    store.close()


def _programs() -> dict[str, str]:
    from tests import postgres

    return {"PATH": f"{postgres.programs()}:{os.environ['PATH']}"}
