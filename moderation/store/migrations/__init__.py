"""The way from an empty or older database to the tables of today, one file in versions/ a step.

Nothing is released yet: until then a change to tables.py goes into the one first step.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from moderation.errors import BadSetting
from moderation.store.tables import metadata

HEAD = "0001"
"""The last step's revision."""

_NAME = "MODERATION_DATABASE"
_LOCK = 7_060_521  # any number of our own
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.Text))


def upgrade(connection: sa.Connection) -> None:
    """Bring the database to the tables of today, inside the connection's transaction.

    Workers that start at once do it one after the other: on SQLite a writing transaction is alone
    anyway. BadSetting where the database is newer than this version, or somebody else's.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    found = _revision(connection)
    if found == HEAD:
        return
    if found is None:
        _refuse_strange(connection)
    # Alembic is 0.3 s and 11 MB that a start without work for it is spared.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", Path(__file__).parent.as_posix().replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise BadSetting(
            _NAME,
            f"the database is at schema {found}, which this version does not know: a newer "
            "version made it. Use that version, or another database.",
        ) from error


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(sa.select(_VERSION.c.version_num))


def _refuse_strange(connection: sa.Connection) -> None:
    if taken := sorted({*metadata.tables} & {*sa.inspect(connection).get_table_names()}):
        raise BadSetting(
            _NAME,
            f"the database has tables that this program did not make ({', '.join(taken)}). "
            "Give it a database of its own.",
        )
