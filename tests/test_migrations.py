"""The migrations end at the tables that the code knows, and refuse what is not theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from moderation import migrations
from moderation.errors import BadSetting
from moderation.store import Store
from moderation.tables import metadata
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
