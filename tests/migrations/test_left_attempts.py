"""What the release before has left running is taken over by this one, in the database that it left."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migrations.conftest import migrate_to
from support.served import ServedDeck
from traindeck.runner.identity import boot_id

KEPT = ("run", "run_event")


def write_as_release_0004(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot: str) -> None:
    """Put a database of revision 0004 in the place of one, with its runs, and their attempts claimed in a boot."""
    older = tmp_path / "older" / "deck.db"
    older.parent.mkdir()
    migrate_to("0004", older, tmp_path, monkeypatch)
    with closing(sqlite3.connect(older, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS newer", (str(path),))
        for table in KEPT:
            connection.execute(f"INSERT INTO {table} SELECT * FROM newer.{table}")
        columns = "run_id, number, claimed_at, started_at"
        connection.execute(
            f"INSERT INTO attempt ({columns}, boot_id, gpu_indices) SELECT {columns}, ?, '[3]' FROM newer.attempt",
            (boot,),
        )
    for left in path.parent.glob("deck.db*"):
        left.unlink()
    shutil.copy(older, path)


def test_a_run_that_the_release_before_left_is_adopted_with_its_gpus(
    deck: ServedDeck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "gate"
    source = f"import os, time\nprint('up', flush=True)\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.02)"
    run_id = deck.launch(source)["id"]
    deck.wait_for_line(run_id, "up")
    record = deck.process_record(run_id)
    deck.kill()
    write_as_release_0004(deck.home / "deck.db", tmp_path, monkeypatch, boot_id())
    deck.start()
    assert deck.run(run_id)["status"] == "running"
    assert deck.process_record(run_id) == record
    with closing(sqlite3.connect(deck.home / "deck.db")) as connection:
        kept = connection.execute("SELECT executor, json_extract(handle, '$.boot_id'), gpus FROM attempt").fetchone()
    assert kept == ("local", boot_id(), "[3]")
    gate.touch()
    assert deck.wait_for_status(run_id, "completed")["attempt"] == 1


def test_a_run_that_the_release_before_left_in_an_earlier_boot_is_lost(
    deck: ServedDeck, stubs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = deck.launch(script={"path": str(stubs / "hangs.py")})["id"]
    deck.wait_for_line(run_id, "hanging")
    deck.kill()
    write_as_release_0004(deck.home / "deck.db", tmp_path, monkeypatch, "earlier")
    deck.start()
    assert deck.wait_for_status(run_id, "lost")["status_reason"] == "host restarted"
