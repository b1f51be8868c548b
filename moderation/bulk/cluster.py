"""A Dask cluster that works in the place of this machine's processors, and files by URL.

Both need an extra, and cost nothing to who does not use them. Dask sends pickles: whoever reaches
a scheduler or a worker may run anything there, so a cluster is for a network of one's own.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from moderation.errors import ModerationError

if TYPE_CHECKING:
    from distributed import Client

_SECONDS = 5
_SAME = ("moderation", "numpy")
"""What decides on every bit of a score."""
_INSTALL = "pip install 'moderation[dask]'"


class NoCluster(ModerationError):
    """A cluster that cannot be used."""

    title = "No cluster"

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(f"--dask {address}: {problem}")


class NoFile(ModerationError):
    """A URL that cannot be read or written."""

    title = "No file"

    def __init__(self, url: str, problem: object) -> None:
        super().__init__(f"{url}: {problem}")


@contextmanager
def connected(address: str, packages: Sequence[str] = ()) -> Iterator[Client]:
    """A client of the cluster, once its workers are seen to have the same versions as we, of these
    `packages` too."""
    try:
        from distributed import Client  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise NoCluster(address, f"needs dask here and on every worker: {_INSTALL}.") from error
    try:
        with warnings.catch_warnings(action="ignore"):  # of what is refused below, in a sentence
            client = Client(address, timeout=_SECONDS)
    except (OSError, ValueError) as error:
        problem = "no scheduler answers there. Start one: dask scheduler"
        raise NoCluster(address, f"{problem}.") from error
    with client:
        if not client.ncores():
            raise NoCluster(address, f"has no workers. Start some: dask worker {address}")
        for package in (*_SAME, *packages):
            ours = version(package)
            for worker, theirs in client.run(version, package, on_error="return").items():
                if theirs != ours:
                    found = f"{package} {theirs}" if isinstance(theirs, str) else f"no {package}"
                    problem = f"worker {worker} has {found}, and we have {ours}"
                    raise NoCluster(address, f"{problem}. Install the same on all.")
        yield client


def is_url(place: object) -> bool:
    """Whether this names a file elsewhere, as s3://bucket/comments.csv."""
    return "://" in str(place)


@contextmanager
def fetched(*places: str | Path) -> Iterator[list[Path]]:
    """The files at these places, those at URLs as copies that stay until all has gone well: a run
    that was killed goes on with the same ones."""
    with ExitStack() as copies:
        yield [copies.enter_context(_copied(str(p))) if is_url(p) else Path(p) for p in places]


@contextmanager
def delivered(place: str | Path | None) -> Iterator[Path | None]:
    """A file to write; what goes to a URL is sent there once all has gone well."""
    if place is None or not is_url(place):
        yield Path(place) if place else None
        return
    url = str(place)
    system, path = _opened(url)
    with _workshop(url) as folder:
        file = folder / Path(path).name
        yield file
        try:
            system.put_file(str(file), path)
        except Exception as error:  # each file system has errors of its own
            raise NoFile(url, f"cannot be written ({_line(error)}).") from error


@contextmanager
def _copied(url: str) -> Iterator[Path]:
    system, path = _opened(url)
    try:
        state = system.ukey(path)  # another one once the file was changed
    except Exception as error:
        raise NoFile(url, f"cannot be read ({_line(error)}).") from error
    with _workshop(url, str(state)) as folder:
        file = folder / Path(path).name
        if not file.exists():
            draft = file.with_name(f".{file.name}.part")
            try:
                system.get_file(path, str(draft))
            except Exception as error:
                raise NoFile(url, f"cannot be read ({_line(error)}).") from error
            draft.replace(file)
        yield file


@contextmanager
def _workshop(*of: str) -> Iterator[Path]:
    """A folder of that name; it goes when all has gone well, or an error would come again."""
    name = hashlib.sha256("\n".join(of).encode()).hexdigest()[:16]
    folder = user_cache_path("moderation") / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NoFile(of[0], f"another run has it in {folder}; wait for it.") from error
        try:
            yield folder
        except ModerationError:
            shutil.rmtree(folder)
            raise
        shutil.rmtree(folder)


def _opened(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415  # an extra

        system, path = url_to_fs(url)
    except ImportError as error:
        problem = f"needs fsspec and the driver of such URLs ({error}): {_INSTALL}"
        raise NoFile(url, f"{problem}, and s3fs for s3://, gcsfs for gs://.") from error
    except ValueError as error:
        raise NoFile(url, f"is no URL that can be read ({error}).") from error
    return system, path


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
