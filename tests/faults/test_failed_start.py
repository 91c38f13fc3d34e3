"""A server that cannot start says why in one message, and leaves nothing behind that says it runs."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from traindeck.db.engine import Database
from traindeck.db.migrate import migrate
from traindeck.db.tables import Attempt, Run
from traindeck.runs.files import DeckFiles

ODD = "what? 100%20 #1"


@pytest.fixture
def files(tmp_path: Path) -> DeckFiles:
    files = DeckFiles(tmp_path / ODD)
    files.prepare()
    migrate(files.database)
    return files


def serve(home: Path, port: int = 0) -> str:
    """Start a server that is expected to refuse; what it says."""
    command = [sys.executable, "-m", "traindeck.cli", "serve", "--home", str(home), "--port", str(port), "--cold"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRAINDECK_")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (home / "server.json").exists()
    return " ".join(done.stderr.split())


@pytest.mark.parametrize("locking", ["normal", "exclusive"])
def test_a_database_that_is_locked_at_start(files: DeckFiles, locking: str) -> None:
    database = Database(files.database)
    with database.write() as session:
        # Of an earlier boot: the start has to write that it is lost.
        session.add(Run(name="a", trainer="mnist", status="running", attempt=1))
        session.flush()
        session.add(Attempt(run_id=1, number=1, boot_id="earlier"))
    database.close()
    with closing(sqlite3.connect(files.database, isolation_level=None)) as other:
        other.execute(f"PRAGMA locking_mode = {locking}")
        other.execute("BEGIN EXCLUSIVE")
        said = serve(files.home)
    assert "database is locked" in said
    assert str(files.database) in said


def test_a_port_that_is_in_use(files: DeckFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = serve(files.home, taken.getsockname()[1])
    assert f"process {os.getpid()}" in said or "cannot listen" in said
