"""Databases at every step of their life."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from traindeck.db import migrate as module
from traindeck.db.derived import is_index
from traindeck.db.migrate import migrate, migrations_folder

NEXT = '''"""the next migration, as a test imagines it"""

import sqlalchemy as sa
from alembic import op

revision = "0099"
down_revision = {newest!r}


def upgrade() -> None:
    with op.batch_alter_table("run", recreate="always", table_kwargs={{"sqlite_autoincrement": True}}) as batch:
        batch.add_column(sa.Column("colour", sa.Text(), nullable=True))
{more}

def downgrade() -> None:
    with op.batch_alter_table("run") as batch:
        batch.drop_column("colour")
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database of a deck lies."""
    return tmp_path / "deck.db"


@pytest.fixture
def filled(path: Path) -> Path:
    """A database of today with a run that has rows in every table."""
    migrate(path)
    fill_tables(path)
    return path


@pytest.fixture
def add_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the program one that knows a migration more, which rebuilds the table of runs."""
    folder = tmp_path / "scripts"
    newest = module.newest_revision()

    def add(more: str = "") -> None:
        shutil.copytree(migrations_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "0099_next.py").write_text(NEXT.format(newest=newest, more=more))
        monkeypatch.setattr(module, "migrations_folder", lambda: folder)

    return add


def migrate_to(revision: str, path: Path, scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a database as a program did that knew the migrations up to one; their copies lie below `scripts`."""

    def is_later(_folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name[:4].isdigit() and name[:4] > revision]

    shutil.copytree(migrations_folder(), scripts / "earlier", ignore=is_later)
    with monkeypatch.context() as earlier:
        earlier.setattr(module, "migrations_folder", lambda: scripts / "earlier")
        migrate(path)


def fill_tables(path: Path) -> None:
    """Give a database a run with rows in every table."""
    with closing(sqlite3.connect(path)) as connection:
        fill(connection, "run", id=1, name="kept", status="failed")
        for table in ("attempt", "run_event", "run_tag", "parameter", "scalar_summary", "idempotency_key"):
            fill(connection, table, run_id=1)
        # A table that an older deck has not yet.
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'metric_direction'").fetchone():
            fill(connection, "metric_direction", tag="loss", better="lower")
        connection.commit()


def fill(connection: sqlite3.Connection, table: str, **values: object) -> None:
    """Insert a row, with something in each column that must have a value and was given none."""
    for _, name, kind, required, default, _ in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if required and default is None and name not in values and not (name == "id" and kind == "INTEGER"):
            values[name] = "2026-01-01 00:00:00.000000" if kind == "DATETIME" else 1
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", values)


def rows(path: Path) -> dict[str, int]:
    """How many rows each table has; without those that the full-text index consists of."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counted = [table for table in tables if not is_index(table)]
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in counted}


def schema(path: Path) -> list[tuple[str, str, str]]:
    """Every table and index, as SQLite has them."""
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master"))
