"""The way from an empty or older database to the tables of today, one file in versions/ a step.

Nothing is released yet: until then a change to tables.py goes into the one first step.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from moderation.errors import BadSetting
from moderation.tables import metadata

_NAME = "MODERATION_DATABASE"
_LOCK = 7_060_521  # any number of our own


def upgrade(connection: sa.Connection) -> None:
    """Bring the database to the tables of today, inside the connection's transaction.

    Workers that start at once do it one after the other: on SQLite a writing transaction is alone
    anyway. BadSetting where the database is newer than this version, or somebody else's.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    config = Config()
    config.set_main_option("script_location", Path(__file__).parent.as_posix().replace("%", "%%"))
    config.attributes["connection"] = connection
    steps = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_heads()
    if found == (steps.get_current_head(),):
        return
    _refuse_newer(found, steps)
    if not found:
        _refuse_strange(connection)
    command.upgrade(config, "head")


def _refuse_newer(found: tuple[str, ...], steps: ScriptDirectory) -> None:
    known = {step.revision for step in steps.walk_revisions()}
    if unknown := sorted({*found} - known):
        raise BadSetting(
            _NAME,
            f"the database is at schema {unknown[0]}, which this version does not know: a newer "
            "version made it. Use that version, or another database.",
        )


def _refuse_strange(connection: sa.Connection) -> None:
    if taken := sorted({*metadata.tables} & {*sa.inspect(connection).get_table_names()}):
        raise BadSetting(
            _NAME,
            f"the database has tables that this program did not make ({', '.join(taken)}). "
            "Give it a database of its own.",
        )
