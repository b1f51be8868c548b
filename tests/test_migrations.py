"""The migrations end at the tables that the code knows, and refuse what is not theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from moderation.errors import BadSetting
from moderation.store import Store, migrations
from moderation.store.tables import metadata
from tests.conftest import behind


def differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def test_the_migrated_database_has_the_tables_of_the_code(store: Store, database_url: str) -> None:
    with behind(database_url) as connection:
        assert differences(connection) == []
        names = {c["name"] for c in sa.inspect(connection).get_unique_constraints("comments")}
    assert names == {"uq_comments_site_external_id", "uq_comments_site_idempotency_key"}


def test_head_is_the_last_step() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


def revisions() -> list[str]:
    """Every schema there was, the first one first."""
    steps = ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()
    return [step.revision for step in steps][::-1]


@pytest.mark.parametrize("revision", revisions())
def test_from_every_schema_since_the_first_all_rows_are_kept(
    database_url: str, revision: str
) -> None:
    if database_url.startswith("sqlite"):
        Path(database_url.removeprefix("sqlite:///")).parent.mkdir()
    with behind(database_url) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        before = filled(connection)
    Store.open(database_url).close()
    with behind(database_url) as connection:
        assert differences(connection) == []
        after = rows_of(connection)
    assert before.keys() <= after.keys()
    for table, rows in before.items():
        kept = [{name: row[name] for name in rows[0]} for row in after[table]]
        assert all(row in kept for row in rows), table


def filled(connection: sa.Connection) -> dict[str, list[dict[str, object]]]:
    """All rows, once each table has one more."""
    examples: dict[type, object] = {str: "{}", int: 1, float: 1.5}
    there = sa.MetaData()
    there.reflect(connection)
    for table in there.sorted_tables:
        if table.name != "alembic_version":
            row = {column.name: examples[column.type.python_type] for column in table.columns}
            connection.execute(sa.insert(table), row)
    return rows_of(connection)


def rows_of(connection: sa.Connection) -> dict[str, list[dict[str, object]]]:
    there = sa.MetaData()
    there.reflect(connection)
    return {
        table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        for table in there.sorted_tables
        if table.name != "alembic_version"
    }


def test_the_comparison_sees_a_column_that_a_migration_forgot(
    store: Store, database_url: str
) -> None:
    with behind(database_url) as connection:
        connection.execute(sa.text("ALTER TABLE reviews DROP COLUMN note"))
        assert "add_column" in str(differences(connection))


def test_a_newer_database_is_refused_and_left_alone(store: Store, database_url: str) -> None:
    with behind(database_url) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadSetting, match="at schema 9999, which this version does not know"):
        Store.open(database_url)
    with behind(database_url) as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"


def test_a_database_with_somebody_elses_tables_is_refused(store: Store, database_url: str) -> None:
    with behind(database_url) as connection:
        metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE alembic_version"))
        connection.execute(sa.text("CREATE TABLE comments (words TEXT)"))
    with pytest.raises(BadSetting, match=r"did not make \(comments\)"):
        Store.open(database_url)


def test_a_migration_that_fails_leaves_nothing_behind(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic.operations import Operations

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(Operations, "bulk_insert", fail)
    with pytest.raises(OSError, match="no space"):
        Store.open(database_url)
    with behind(database_url) as connection:
        assert sa.inspect(connection).get_table_names() == []
    monkeypatch.undo()
    Store.open(database_url).close()
