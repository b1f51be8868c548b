"""What `moderation doctor` looks at: each examination says what it found well, or what is wrong and
how to mend it. None changes anything, but that opening a database brings its tables up to date."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from moderation import settings
from moderation.auth import refuse_unguarded
from moderation.errors import BadSetting, ModelRefused, ModerationError
from moderation.settings import CONFIG, Settings
from moderation.shelf import ModelShelf
from moderation.store import Store
from moderation.verdict import Comment

_LEAST_FREE = 1 << 30  # bytes; SQLite's log and a new model fit into half of it
_LEAST_FILES = 4096 + 256  # connections of one worker, and its own files
_CLOCK_SECONDS = 5.0
_EARLIEST = 1_767_225_600.0  # 2026-01-01: this program did not exist before


@dataclass(frozen=True, slots=True)
class Found:
    """What an examination found. `mend` is empty where all is well."""

    part: str
    fact: str
    mend: str = ""


Examination = Callable[[Settings], Iterator[Found]]


def examine(environ: Mapping[str, str], override: Callable[[Settings], Settings]) -> list[Found]:
    """Everything, in the order in which one would mend it."""
    try:
        configured = override(settings.load(environ))
    except BadSetting as error:
        return [Found("configuration", str(error), "Correct it; the rest was not looked at.")]
    found = [*_configuration(configured, environ)]
    for examination in (_database, _clock, _model, _disk, _workers):
        part = examination.__name__.removeprefix("_")
        try:
            found += examination(configured)
        except ModerationError as error:  # its message says how to mend it
            found.append(Found(part, str(error), "See there."))
        except OSError as error:
            why = f"{error.filename}: {error.strerror}"
            found.append(Found(part, why, "Let the service's user read and write it."))
    return found


def _configuration(configured: Settings, environ: Mapping[str, str]) -> Iterator[Found]:
    place = environ.get(CONFIG)
    if (
        place
        and _open_to_others(Path(place).expanduser(), stat.S_IROTH)
        and _has_secrets(configured)
    ):
        yield Found(
            "configuration",
            f"{place} holds secrets and everybody may read it",
            f"chmod 600 {place}",
        )
    sites = ", ".join(configured.sites)
    yield Found("configuration", f"read from {place or 'the environment'}; sites: {sites}")


def _has_secrets(configured: Settings) -> bool:
    with_password = "@" in configured.database
    return with_password or any(
        p.coral_secrets or p.webhook_secret for p in configured.policies.values()
    )


def _database(configured: Settings) -> Iterator[Found]:
    file = _file_of(configured.database)
    if file and not file.exists():
        yield from _writable(file.parent, "database", f"{file} will be made at the first start")
        return
    with closing(Store.open(configured.database)) as store:
        store.ping()
        yield Found("database", f"{file or 'PostgreSQL'} opens and takes writes")
        try:
            refuse_unguarded(configured, store.keys)
        except BadSetting as error:
            yield Found("keys", str(error), "moderation keys create --site default --role admin")
        else:
            usable = sum(not key.revoked for key in store.keys.list())
            yield Found("keys", f"{usable} in use" if usable else "none: open to this machine")
        yield from _agreement(store, file)
    if file and _open_to_others(file, stat.S_IROTH | stat.S_IWOTH):
        yield Found("database", f"{file} is open to other users", f"chmod o-rwx {file}")


def _clock(_: Settings) -> Iterator[Found]:
    now = time.time()
    if now < _EARLIEST:
        yield Found("clock", f"it says {time.ctime(now)}", "Set it, and keep it by NTP.")


def _agreement(store: Store, file: Path | None) -> Iterator[Found]:
    now = time.time()
    if now < _EARLIEST:
        return  # then it agrees with nothing
    ahead = store.newest() - now if file else store.clock() - now
    if (abs(ahead) if file is None else ahead) > _CLOCK_SECONDS:
        whose = "the newest comment's" if file else "the database's"
        yield Found(
            "clock",
            f"it is {abs(ahead):.0f} seconds off {whose}",
            "Keep the clocks of all machines by NTP: rates, floods and webhooks count seconds.",
        )
    else:
        yield Found("clock", "agrees with the database")


def _model(configured: Settings) -> Iterator[Found]:
    shelf = ModelShelf(configured.models, consult=configured.second_opinion)
    model = shelf.active()
    (assessment,) = model.assess([Comment("Thanks, this helped me a lot!")])
    if not all(0 <= score <= 1 for score in assessment.scores.values()):
        raise ModelRefused(model.version, "its scores are not probabilities")
    second = f", with the second opinion {model.second.name}" if model.second else ""
    yield Found("model", f"{model.version} is active and judges{second}")
    for version in shelf.versions():
        try:
            shelf.manifest(version)
        except ModelRefused as error:
            yield Found("model", str(error), f"Train it again, or remove {version}.")
    if configured.models.exists():
        yield from _writable(configured.models, "model", f"{configured.models} takes new models")
        if _open_to_others(configured.models, stat.S_IWOTH):
            yield Found(
                "model",
                f"everybody may write to {configured.models}, and so choose the verdicts",
                f"chmod o-w {configured.models}",
            )


def _disk(configured: Settings) -> Iterator[Found]:
    file = _file_of(configured.database)
    places = {_existing(place) for place in (file and file.parent, configured.models) if place}
    for place in sorted(places):
        free = shutil.disk_usage(place).free
        fact = f"{free / (1 << 30):.1f} GiB free in {place}"
        mend = "" if free >= _LEAST_FREE else "Free some: on a full disk nothing is recorded."
        yield Found("disk", fact, mend)


def _workers(configured: Settings) -> Iterator[Found]:
    wanted, there = configured.workers, os.cpu_count() or 1
    mend = "" if wanted <= there else f"Set MODERATION_WORKERS to {there}: more only use memory."
    yield Found("workers", f"{wanted} on {there} processors", mend)
    try:
        from resource import RLIMIT_NOFILE, getrlimit  # noqa: PLC0415  # not on Windows
    except ImportError:
        return
    files, _ = getrlimit(RLIMIT_NOFILE)
    mend = "" if files >= _LEAST_FILES else f"Allow {_LEAST_FILES} (LimitNOFILE, ulimit -n)."
    yield Found("workers", f"{files} open files allowed", mend)


def _file_of(url: str) -> Path | None:
    """The file of an SQLite database; None for any other, and for what is no URL."""
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        return None
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def _existing(place: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(folder for folder in (place, *place.absolute().parents) if folder.exists())


def _writable(folder: Path, part: str, fact: str) -> Iterator[Found]:
    place = _existing(folder)
    if os.access(place, os.W_OK | os.X_OK):
        yield Found(part, fact)
    else:
        yield Found(part, f"{place} cannot be written to", "Let the service's user write there.")


def _open_to_others(place: Path, rights: int) -> bool:
    """Whether other users of this machine have these rights, and its folder lets them in."""
    if os.name != "posix" or not place.exists():
        return False
    folder = place.absolute().parent
    return bool(folder.stat().st_mode & stat.S_IXOTH) and bool(place.stat().st_mode & rights)
