"""Databases at every step of their life."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from traindeck.db import migrate as module
from traindeck.db.migrate import migrate
from traindeck.db.scripts import migrations_folder

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
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            INSERT INTO run (name, status, notes, priority, cpus, gpus, max_retries, attempt, resume, created_at, log_size)
            VALUES ('kept', 'failed', '', 0, 1, 0, 0, 1, 0, '2026-01-01 00:00:00.000000', 0);
            INSERT INTO attempt (run_id, number, claimed_at) VALUES (1, 1, '2026-01-01 00:00:00.000000');
            INSERT INTO run_event (run_id, attempt, at, to_status) VALUES (1, 0, '2026-01-01 00:00:00.000000', 'queued');
            INSERT INTO run_tag VALUES (1, 'a');
            INSERT INTO parameter VALUES (1, 'lr', 0.1, '0.1');
            INSERT INTO scalar_summary (run_id, tag, last, step, count) VALUES (1, 'loss', 0.5, 1, 1);
            INSERT INTO idempotency_key VALUES ('k', 'f', 1, '2026-01-01 00:00:00.000000');
            """
        )
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


def rows(path: Path) -> dict[str, int]:
    """How many rows each table has."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def schema(path: Path) -> list[tuple[str, str, str]]:
    """Every table and index, as SQLite has them."""
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master"))
