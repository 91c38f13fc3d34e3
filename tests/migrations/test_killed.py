"""A migration that is killed at any of its statements."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from migrations.conftest import rows, schema
from traindeck.db import migrate as module
from traindeck.db.migrate import migrate

KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from traindeck.db import migrate as module

path, scripts, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
module.migrations_folder = lambda: scripts
count = 0

@event.listens_for(Engine, "after_cursor_execute")
def executed(connection, cursor, statement, values, context, many):
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)

module.migrate(path)
print(count)
"""


def upgrade_killed_after(path, scripts, statements: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILLED, str(path), str(scripts), str(statements)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("statements", [1, 3, 6, 10, 14, 18])
def test_an_upgrade_killed_in_its_middle_leaves_the_database_as_it_was(filled, add_migration, tmp_path, statements):
    before, newest = (rows(filled), schema(filled)), module.newest_revision()
    add_migration()

    done = upgrade_killed_after(filled, tmp_path / "scripts", statements)

    assert done.returncode == -signal.SIGKILL, f"it has fewer statements: {done.stdout} {done.stderr}"
    assert (rows(filled), schema(filled)) == before
    assert migrate(filled) == newest
    with closing(sqlite3.connect(filled)) as connection:
        assert connection.execute("SELECT name, colour FROM run").fetchall() == [("kept", None)]


@pytest.mark.parametrize("statements", [1, 5, 20])
def test_a_deck_whose_first_start_was_killed_starts_the_next_time(path, statements):
    done = upgrade_killed_after(path, module.migrations_folder(), statements)
    assert done.returncode == -signal.SIGKILL, done.stderr

    assert migrate(path) is None
    assert rows(path)["run"] == 0


def test_a_copy_that_was_cut_off_is_not_taken_for_one(filled):
    script = KILLED.replace("module.migrate(path)", "").replace(
        "print(count)",
        "os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)\nmodule.back_up(path, 'x')",
    )
    command = [sys.executable, "-c", script, str(filled), "-", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list((filled.parent / "backups").glob("deck-*.db")) == []
    assert os.listdir(filled.parent / "backups") != []
