"""All that a service on SQLite keeps, in one file, and back: the database, as of one moment while
the service goes on, and the models that were trained here.

The file is a gzipped tar of moderation.db, models/active.json and models/<version>/<file>.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from tqdm import tqdm

from moderation import artefact
from moderation.errors import BadSetting, ModerationError
from moderation.files import replacing
from moderation.settings import Settings
from moderation.shelf import POINTER
from moderation.store import Store

_DATABASE, _MODELS = "moderation.db", "models"
_NOT_READABLE = (tarfile.TarError, EOFError, zlib.error, OSError, UnicodeError)


class NoBackup(ModerationError):
    """What cannot be backed up or restored, or not so."""

    title = "No backup"


def save(settings: Settings, target: Path) -> None:
    """Write the backup. Only its owner may read it: it holds every comment."""
    database = _file_of(settings, _BY_POSTGRESQL)
    if not database.is_file():
        raise NoBackup(f"{database} is not there: see MODERATION_DATABASE (`moderation doctor`).")
    with (
        _only_for_us(),
        tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.absolute().parent) as own,
        replacing(target) as draft,
        tarfile.open(draft, "w:gz") as archive,
    ):
        copy = Path(own) / _DATABASE
        _copy(database, copy)
        for name, file in [(_DATABASE, copy), *_files_of_models(settings.models)]:
            _add(archive, name, file)


def restore(settings: Settings, source: Path, *, overwrite: bool) -> list[str]:
    """Put a backup in the place of what is there, once all of it was looked at; the versions of
    the models in it. `overwrite`: what is there may go."""
    database = _file_of(settings, _INTO_POSTGRESQL)
    database.absolute().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.models.mkdir(parents=True, exist_ok=True)
    with (
        _only_for_us(),
        tempfile.TemporaryDirectory(prefix=".restore-", dir=database.absolute().parent) as own,
        tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.models) as draft,
    ):
        found = _unpack(source, Path(own) / _DATABASE, Path(draft))
        _refuse_damaged(source, Path(own) / _DATABASE)
        there = [place for place in (database, *_taken(settings, found)) if place.exists()]
        if there and not overwrite:
            raise NoBackup(
                f"{there[0]} is there already. Give --overwrite to put the backup in its place, or "
                "name another place by MODERATION_DATABASE and MODERATION_MODELS."
            )
        _let_go(database)
        for version in found:
            shutil.rmtree(settings.models / version, ignore_errors=True)
            (Path(draft) / version).chmod(0o755)
            (Path(draft) / version).rename(settings.models / version)
            _give(settings.models / version)
        (Path(own) / _DATABASE).replace(database)
        _give(database)
        if (Path(draft) / POINTER).exists():
            (Path(draft) / POINTER).chmod(0o644)
            (Path(draft) / POINTER).replace(settings.models / POINTER)
            _give(settings.models / POINTER)
        else:
            (settings.models / POINTER).unlink(missing_ok=True)  # the shipped model served
    return found


_BY_POSTGRESQL = (
    "This database is backed up by PostgreSQL itself, also while the service runs: pg_dump "
    "--format=custom --file=moderation.dump '{url}' — and copy the models folder, {models}."
)
_INTO_POSTGRESQL = (
    "This database is restored by PostgreSQL itself, with the service stopped: pg_restore --clean "
    "--if-exists --no-owner --single-transaction --dbname='{url}' moderation.dump — and put the "
    "models back into {models}."
)


def _file_of(settings: Settings, otherwise: str) -> Path:
    try:
        url = sa.make_url(settings.database)
    except sa.exc.ArgumentError as error:
        raise BadSetting("MODERATION_DATABASE", "is not an SQLAlchemy URL.") from error
    if url.get_backend_name() != "sqlite":
        # as PostgreSQL's own programs read it; they ask for the password, or PGPASSWORD has it
        plain = url.create("postgresql", url.username, None, url.host, url.port, url.database)
        raise NoBackup(otherwise.format(url=plain, models=settings.models))
    return Path(url.database or "")


def _copy(database: Path, copy: Path) -> None:
    """SQLite's own online backup, in one step: the state of one moment, and no writer waits."""
    try:
        with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(copy)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise NoBackup(f"{database} cannot be read ({error}); see `moderation doctor`.") from error
    copy.chmod(0o600)


def _files_of_models(folder: Path) -> Iterator[tuple[str, Path]]:
    """The pointer first: a model that it names is there, whatever is activated meanwhile."""
    if (folder / POINTER).is_file():
        yield f"{_MODELS}/{POINTER}", folder / POINTER
    for manifest in sorted(folder.glob(f"*/{artefact.MANIFEST}")):
        for file in sorted(manifest.parent.iterdir()):
            if file.is_file() and not manifest.parent.name.startswith("."):
                yield f"{_MODELS}/{manifest.parent.name}/{file.name}", file


def _add(archive: tarfile.TarFile, name: str, file: Path) -> None:
    with file.open("rb") as stream:
        member = tarfile.TarInfo(name)
        status = os.fstat(stream.fileno())
        member.size, member.mtime, member.mode = status.st_size, int(status.st_mtime), 0o600
        with tqdm.wrapattr(stream, "read", total=member.size, desc=name, disable=None) as shown:
            archive.addfile(member, shown)


def _unpack(source: Path, database: Path, models: Path) -> list[str]:
    """Only files of the names that `save` writes are read, whatever else is there."""
    versions: dict[str, None] = {}
    try:
        with gzip.open(source) as packed, tarfile.open(fileobj=packed, mode="r:") as archive:
            for member in archive:
                place = _place(member, database, models)
                if place.parent != models and place != database:
                    versions[place.parent.name] = None
                    place.parent.mkdir(exist_ok=True)
                stream = archive.extractfile(member)
                assert stream is not None  # a regular file, as `_place` has seen
                with place.open("wb") as file:
                    shutil.copyfileobj(stream, file)
            while packed.read(1 << 20):  # to the checksum at its end, where tarfile never looks
                pass
    except _NOT_READABLE as error:
        if isinstance(error, OSError) and error.filename:  # it's not there, or our own disk is full
            raise
        raise NoBackup(f"{source}: is not a whole backup ({error}). Take another.") from error
    return [*versions]


def _place(member: tarfile.TarInfo, database: Path, models: Path) -> Path:
    parts = member.name.split("/")
    plain = all(part and not part.startswith(".") and "\\" not in part for part in parts)
    if member.isreg() and plain:
        if parts == [_DATABASE]:
            return database
        if parts == [_MODELS, POINTER] or (parts[0] == _MODELS and len(parts) == 3):
            return models.joinpath(*parts[1:])
    raise tarfile.ReadError(f"it holds {member.name!r}, which no backup does")


def _refuse_damaged(source: Path, database: Path) -> None:
    """A database that is whole, and that this version can bring up to date."""
    if not database.exists():
        raise NoBackup(f"{source}: has no {_DATABASE} in it, so it is no backup.")
    try:
        with closing(sqlite3.connect(database)) as opened:
            said = opened.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise NoBackup(f"{source}: its database is damaged ({said}). Take another backup.")
        Store.open(f"sqlite:///{database}").close()
    except (sqlite3.Error, BadSetting) as error:
        raise NoBackup(f"{source}: its database cannot be used: {error}") from error


def _taken(settings: Settings, versions: list[str]) -> list[Path]:
    return [settings.models / name for name in (*versions, POINTER)]


def _let_go(database: Path) -> None:
    """Make sure that nobody has the old database open: they would go on writing to what is gone.

    Leaving write-ahead mode needs it alone, and takes its log along.
    """
    if database.exists():
        try:
            with closing(sqlite3.connect(database, timeout=1)) as old:
                old.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise NoBackup(
                    f"{database} is in use. Stop the service first, on every machine."
                ) from error
            # damaged: what else should a backup be for
    for log in ("-wal", "-shm"):
        database.with_name(database.name + log).unlink(missing_ok=True)


def _give(place: Path) -> None:
    """What root restored belongs to whom its folder belongs: the service, as a rule."""
    if os.name == "posix" and os.geteuid() == 0:
        owner = place.absolute().parent.stat()
        for each in (place, *place.rglob("*")):
            os.chown(each, owner.st_uid, owner.st_gid)


@contextmanager
def _only_for_us() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
