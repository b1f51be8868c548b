"""The connection to the database: SQLite for one machine, PostgreSQL for more."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from moderation.errors import BadSetting, StoreUnavailable
from moderation.store.migrations import upgrade
from moderation.store.tables import meta
from moderation.store.turn import Turn

log = logging.getLogger(__name__)

_NAME = "MODERATION_DATABASE"
_ATTEMPTS = 3
_SECONDS = 10  # to wait for a connection, or for another's write, before giving up
_CONNECT = {"sqlite": {"timeout": _SECONDS}, "postgresql": {"connect_timeout": _SECONDS}}
# FULL: what was answered is on the disk, even if the power fails in the next moment.
# secure_delete: what is erased is overwritten, not only forgotten.
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
)

_SITE_LOCK = 7_060_523  # any number of our own
_ONLY_ONE = sa.select(
    sa.func.pg_advisory_xact_lock(_SITE_LOCK, sa.func.hashtext(sa.bindparam("site")))
)

Opened = Callable[[], AbstractContextManager[sa.Connection]]
"""Gives a connection to look into the database with."""

Ask = Callable[[str, Sequence[Any]], list[Any]]
"""Gives the rows of a query in plain SQL, where `?` stands for each value. It is for what every
comment asks: SQLAlchemy takes several times as long as SQLite does."""


class Database:
    """Transactions on one database. Thread-safe; open one in each process, after it has forked."""

    def __init__(self, engine: sa.Engine) -> None:
        self._reader = engine
        self._writer = engine.execution_options(writes=True)
        file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._turn: AbstractContextManager[Any] = (
            Turn(Path(f"{file}-turn")) if file else nullcontext()
        )

    @classmethod
    def open(cls, url: str) -> Database:
        """Connect, and bring the tables to what they are today."""
        for _ in range(_ATTEMPTS - 1):
            # Another worker may be creating the same file in this moment.
            with suppress(sa.exc.IntegrityError, StoreUnavailable):
                return cls._opened(url)
        return cls._opened(url)

    def close(self) -> None:
        """Give all connections back."""
        self._reader.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that changes nothing."""
        with _named_errors(), self._reader.begin() as connection:
            yield connection

    def ask(self, query: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a query in plain SQL."""
        with _named_errors():
            connection = self._reader.raw_connection()
            try:
                return _rows(connection, self._reader.dialect, query, values)
            finally:
                connection.close()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: all of it, or nothing. Once it is left, it is on the disk."""
        with self._turn, _named_errors(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def writing_later(self, site: str) -> Iterator[Opened]:
        """`writing`, from when the connection is first asked for; then it is the only one that
        writes for this site in this way."""
        with ExitStack() as stack:

            @cache
            def begun() -> sa.Connection:
                connection = stack.enter_context(self.writing())
                if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
                    connection.execute(_ONLY_ONE, {"site": site})
                return connection

            @contextmanager
            def opened() -> Iterator[sa.Connection]:
                with _named_errors():
                    yield begun()

            yield opened

    def fact(self, name: str) -> str:
        """What the store remembers about itself."""
        with self.reading() as connection:
            return str(connection.scalar(sa.select(meta.c.value).where(meta.c.name == name)))

    def my_turn(self, chore: str, seconds: float) -> bool:
        """Whether nobody did this chore for so many seconds; then it is the caller's."""
        now = time.time()
        last = sa.update(meta).where(meta.c.name == chore, meta.c.value <= f"{now - seconds:.0f}")
        with self.writing() as connection:
            return bool(connection.execute(last.values(value=f"{now:.0f}")).rowcount)

    def not_done(self, chore: str) -> None:
        """Whoever had the turn could not do it: the next that asks has it."""
        with self.writing() as connection:
            connection.execute(sa.update(meta).where(meta.c.name == chore).values(value=""))

    def scrub(self) -> None:
        """Leave no trace of erased rows in SQLite's log; PostgreSQL's VACUUM does that itself."""
        if self._reader.dialect.name == "sqlite":
            with self._turn, _named_errors():
                raw = self._reader.raw_connection()
                try:
                    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    raw.close()

    @classmethod
    def _opened(cls, url: str) -> Database:
        database = cls(_engine(url))
        try:
            with database.writing() as connection:
                upgrade(connection)
        except BaseException:
            database.close()
            raise
        return database


def asking(opened: Opened) -> Ask:
    """To ask in a transaction."""

    def ask(query: str, values: Sequence[Any]) -> list[Any]:
        with opened() as connection:
            return _rows(connection.connection, connection.dialect, query, values)

    return ask


def _rows(
    connection: sa.PoolProxiedConnection, dialect: sa.Dialect, query: str, values: Sequence[Any]
) -> list[Any]:
    """By the driver's own cursor."""
    cursor = connection.cursor()
    try:
        cursor.execute(query if dialect.name == "sqlite" else query.replace("?", "%s"), values)
        return list(cursor.fetchall())
    except dialect.loaded_dbapi.Error as error:
        raise sa.exc.DBAPIError(None, None, error) from error
    finally:
        cursor.close()


def _engine(url: str) -> sa.Engine:
    try:
        address = sa.make_url(url)
        kind = address.get_backend_name()
        _refuse_unfit(kind, address.database)
        engine = sa.create_engine(
            address,
            hide_parameters=True,  # no text of a comment in an error or a log
            pool_pre_ping=kind == "postgresql",  # a file does not hang up
            # The one used last still has its pages: in turn, each read 50 anew for each batch.
            pool_use_lifo=True,
            pool_size=10,
            max_overflow=20,
            pool_timeout=_SECONDS,
            connect_args=_CONNECT[kind],
        )
    except ImportError as error:
        problem = f"its driver {error.name} is not installed; PostgreSQL needs psycopg."
        raise BadSetting(_NAME, problem) from error
    except (sa.exc.ArgumentError, ValueError) as error:
        problem = "is not an SQLAlchemy URL that can be used (sqlite:///… or postgresql://…)."
        raise BadSetting(_NAME, problem) from error
    if kind == "sqlite":
        _make_file(Path(str(address.database)))
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
    return engine


def _refuse_unfit(kind: str, name: str | None) -> None:
    if kind not in _CONNECT:
        raise BadSetting(_NAME, f"{kind} is not supported; use sqlite:///… or postgresql://…")
    if kind == "sqlite" and name in (None, "", ":memory:"):
        raise BadSetting(_NAME, "needs a file: held comments in memory would be lost.")


def _make_file(file: Path) -> None:
    """For nobody else to read; SQLite gives its log the same rights."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            file.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"{file}: {error.strerror}") from error


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # leaves BEGIN to `_begin`
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A transaction that will write takes the lock first: one that reads and then wants to write
    # would be refused at once, whatever the timeout. Readers ask one thing and need none.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        # The first line only: the next ones may quote a row.
        problem = next(iter(str(cause).splitlines()), "")
        log.error("database: %s: %s", type(cause).__name__, problem)
        # PostgreSQL's messages name hosts and users, which are not for every caller.
        shown = problem if isinstance(cause, sqlite3.Error) else type(cause).__name__
        raise StoreUnavailable(shown) from error
