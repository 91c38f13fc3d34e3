"""A server that cannot start says why in one message, and leaves nothing behind that says it runs."""

import os
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from support.served import ServedDeck, serve_command
from traindeck.db.engine import Database
from traindeck.db.migrate import migrate
from traindeck.db.tables import Attempt, Run
from traindeck.runs.files import DeckFiles

IMPATIENT = {"traindeck.db.engine.BUSY_TIMEOUT_SECONDS": 0.3}
ODD = "what? 100%20 #1"


@pytest.fixture
def files(tmp_path: Path) -> DeckFiles:
    files = DeckFiles(tmp_path / ODD)
    files.prepare()
    migrate(files.database)
    return files


def serve(home: Path, port: int = 0) -> str:
    """Start a server that is expected to refuse; what it says."""
    command = [*serve_command(IMPATIENT), "--home", str(home), "--port", str(port), "--cold"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRAINDECK_")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (home / "server.json").exists()
    return " ".join(done.stderr.split())


@pytest.fixture
def left(files: DeckFiles) -> DeckFiles:
    """A deck with a run of an earlier boot: the start has to write that it is lost."""
    database = Database(files.database)
    with database.write() as session:
        session.add(Run(name="a", trainer="mnist", status="running", attempt=1))
        session.flush()
        session.add(Attempt(run_id=1, number=1, executor="local", handle={"boot_id": "earlier"}))
    database.close()
    return files


def test_a_database_that_nobody_else_may_read_at_start(left: DeckFiles) -> None:
    with closing(sqlite3.connect(left.database, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = exclusive")
        other.execute("BEGIN EXCLUSIVE")
        said = serve(left.home)
    assert "database is locked" in said
    assert str(left.database) in said


def test_a_database_that_is_locked_for_writing_at_start_is_written_once_it_is_free(left: DeckFiles) -> None:
    deck = ServedDeck(left.home, cold=True, constants=IMPATIENT)
    try:
        with closing(sqlite3.connect(left.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            deck.start()
            assert deck.run(1)["status"] == "running"
        assert deck.wait_for_status(1, "lost")["status_reason"]
    finally:
        deck.end()


def test_a_port_that_is_in_use(files: DeckFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = serve(files.home, taken.getsockname()[1])
    assert f"process {os.getpid()}" in said or "cannot listen" in said
