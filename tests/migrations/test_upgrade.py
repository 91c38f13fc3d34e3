"""Upgrades: from nothing, with rows, again."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from migrations.conftest import fill_tables, migrate_to, rows, schema
from traindeck.db import migrate as module
from traindeck.db import tables  # noqa: F401 (declares the tables)
from traindeck.db.derived import is_index
from traindeck.db.migrate import BACKUPS_KEPT, back_up, migrate, migrations_folder, newest_revision
from traindeck.errors import DeckUnusable


def described(path: Path) -> dict[str, object]:
    """Columns, keys, foreign keys, indexes and checks, without the order in which they were written down."""
    found: dict[str, object] = {}
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        )
        for table, sql in [row for row in tables if row[0] != "alembic_version" and not is_index(row[0])]:
            indexes = connection.execute(
                f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}'"
            )
            found[table] = {
                "columns": sorted(row[1:] for row in connection.execute(f"PRAGMA table_info({table})")),
                "references": sorted(row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({table})")),
                "indexes": sorted((name, (sql or "").replace('"', "")) for name, sql in indexes),
                "counts up": "AUTOINCREMENT" in sql,
                "checks": sql.count("CHECK"),
                "by key": "WITHOUT ROWID" in sql,
            }
    return found


def is_a_models(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not is_index(str(name))


def test_upgrading_from_nothing_gives_what_the_models_say(path, tmp_path):
    assert migrate(path) is None
    engine = create_engine(f"sqlite:///{tmp_path / 'models.db'}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()

    assert described(path) == described(tmp_path / "models.db")


def triggers(path: Path) -> list[tuple[str, str, str]]:
    return [entry for entry in schema(path) if entry[0] == "trigger"]


def test_alembic_finds_no_difference_between_the_migrations_and_the_models(path):
    migrate(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_name": is_a_models}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_a_deck_that_is_up_to_date_is_left_alone(filled):
    before = filled.read_bytes()

    assert migrate(filled) == newest_revision()
    assert filled.read_bytes() == before
    assert not (filled.parent / "backups").exists()


def test_a_rebuild_of_the_parent_table_keeps_the_rows_of_all_its_children(filled, add_migration):
    before, newest = rows(filled), newest_revision()
    add_migration()

    assert migrate(filled) == newest

    assert rows(filled) == before
    assert min(before.values()) == 1
    with closing(sqlite3.connect(filled)) as connection:
        assert connection.execute("SELECT name, colour FROM run").fetchall() == [("kept", None)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("revision", [path.name[:4] for path in sorted(migrations_folder().glob("versions/0*.py"))])
def test_a_deck_of_every_earlier_version_comes_to_what_the_models_say_with_all_its_rows(
    path, tmp_path, monkeypatch, revision
):
    migrate_to(revision, path, tmp_path, monkeypatch)
    fill_tables(path)
    before = rows(path)
    migrate(tmp_path / "new.db")

    assert migrate(path) == revision

    after = rows(path)
    assert {table: after[table] for table in before} == before
    assert described(path) == described(tmp_path / "new.db")
    assert triggers(path) == triggers(tmp_path / "new.db")


def test_the_number_of_a_deleted_run_is_not_given_again_after_a_rebuild(filled, add_migration):
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = 41 WHERE name = 'run'")
        connection.commit()
    add_migration()
    migrate(filled)

    with closing(sqlite3.connect(filled)) as connection:
        assert "AUTOINCREMENT" in connection.execute("SELECT sql FROM sqlite_master WHERE name = 'run'").fetchone()[0]
        assert connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'run'").fetchone() == (41,)


def test_a_copy_is_made_before_rows_are_touched(filled, add_migration):
    before = rows(filled), schema(filled)
    add_migration()
    migrate(filled)

    (copy,) = (filled.parent / "backups").iterdir()
    assert copy.name.endswith("-before-0099.db")
    assert (rows(copy), schema(copy)) == before


def test_a_new_deck_is_not_copied(path):
    migrate(path)

    assert not (path.parent / "backups").exists()


def test_only_the_last_copies_are_kept_and_none_that_is_half_written(filled):
    (filled.parent / "backups").mkdir()
    (filled.parent / "backups" / ".deck-20200101T000000Z-x.db.partial").write_bytes(b"half")

    made = [back_up(filled, "x").name for _ in range(BACKUPS_KEPT + 2)]

    assert sorted(copy.name for copy in (filled.parent / "backups").iterdir()) == made[2:]


BREAKS = """
    op.execute("DELETE FROM run_tag")
    raise RuntimeError("the disk caught fire")
"""
ORPHANS = """
    op.execute("DELETE FROM run")
"""


@pytest.mark.parametrize(("more", "says"), [(BREAKS, "the disk caught fire"), (ORPHANS, "refer to nothing")])
def test_an_upgrade_that_fails_leaves_the_database_as_it_was_and_names_the_copy(filled, add_migration, more, says):
    before = rows(filled), schema(filled)
    add_migration(more)

    with pytest.raises(DeckUnusable, match=says) as caught:
        migrate(filled)

    assert (rows(filled), schema(filled)) == before
    assert "backups/deck-" in str(caught.value)


def test_the_schema_can_be_taken_down_again(path):
    from alembic import command
    from alembic.config import Config

    migrate(path)
    config = Config()
    config.set_main_option("script_location", str(module.migrations_folder()))
    config.attributes["database_path"] = path
    command.downgrade(config, "base")

    assert [table for table in rows(path) if table not in ("alembic_version", "sqlite_sequence")] == []
