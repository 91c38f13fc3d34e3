"""A run outlives the server; the next one finds it again, whatever happened meanwhile."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from support.served import ServedDeck
from support.waiting import wait_for
from traindeck.runner.identity import boot_id, start_time


def test_a_run_goes_on_while_the_server_is_killed_and_is_adopted_by_the_next(
    deck: ServedDeck, stubs: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "enough"
    run_id = deck.launch(script={"path": str(stubs / "counts.py"), "args": [str(gate)]})["id"]
    deck.wait_for_line(run_id, "line 3")
    record = deck.process_record(run_id)
    deck.kill()
    log = deck.home / f"runs/{run_id}/attempt-1/output.log"
    seen = log.stat().st_size
    wait_for(lambda: log.stat().st_size > seen, "the run goes on without a server")
    deck.start()
    assert deck.run(run_id)["status"] == "running"
    assert deck.process_record(run_id) == record
    gate.touch()
    assert deck.wait_for_status(run_id, "completed")["attempt"] == 1
    lines = deck.log_of(run_id).splitlines()
    assert lines == [*(f"line {number}" for number in range(len(lines) - 1)), "end"]


def test_the_true_end_is_known_of_a_run_that_ended_while_there_was_no_server(deck: ServedDeck, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    source = f"import os, sys\nprint('ready', flush=True)\nopen({str(gate)!r}).read()\nsys.exit(5)"
    os.mkfifo(gate)
    run_id = deck.launch(source)["id"]
    deck.wait_for_line(run_id, "ready")
    exit_file = deck.home / f"runs/{run_id}/attempt-1/exit.json"
    deck.kill()
    gate.write_text("go")
    wait_for(exit_file.exists, "the shim wrote how the run ended")
    deck.start()
    run = deck.run(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", 5)
    ended_at = json.loads(exit_file.read_text())["finished_at"]
    assert run["finished_at"].startswith(_rfc3339(ended_at))


def test_ctrl_c_leaves_runs_running_and_says_so(deck: ServedDeck, stubs: Path) -> None:
    run_id = deck.launch(script={"path": str(stubs / "hangs.py")})["id"]
    deck.wait_for_line(run_id, "hanging")
    trainer = deck.process_record(run_id)["trainer"]
    assert deck.stop() == 0
    assert "1 run keeps running without the server" in deck.log
    assert start_time(trainer["pid"]) == trainer["start"]
    deck.start()
    assert deck.run(run_id)["status"] == "running"
    deck.client.post(f"/runs/{run_id}/cancel")
    deck.wait_for_status(run_id, "cancelled")


def test_a_stop_that_was_asked_of_a_killed_server_is_carried_out_by_the_next(deck: ServedDeck, stubs: Path) -> None:
    run_id = deck.launch(script={"path": str(stubs / "ignores_term.py")})["id"]
    deck.wait_for_line(run_id, "deaf")
    deck.client.post(f"/runs/{run_id}/cancel")
    deck.kill()
    deck.start()
    deck.wait_for_status(run_id, "cancelled")


def test_the_queue_keeps_its_order_over_a_restart(deck: ServedDeck, stubs: Path) -> None:
    for _ in range(2):
        run_id = deck.launch(script={"path": str(stubs / "hangs.py")})["id"]
        deck.wait_for_line(run_id, "hanging")
    waiting = [deck.launch("print(1)", priority=priority)["id"] for priority in (0, 5, 0)]
    deck.kill()
    deck.start()
    places = {run_id: deck.run(run_id)["queue_position"] for run_id in waiting}
    assert places == {waiting[1]: 1, waiting[0]: 2, waiting[2]: 3}


def test_after_a_reboot_a_run_is_lost_and_no_foreign_process_is_signalled(deck: ServedDeck, stubs: Path) -> None:
    run_id = deck.launch(script={"path": str(stubs / "hangs.py")})["id"]
    deck.wait_for_line(run_id, "hanging")
    deck.kill()
    path = deck.home / f"runs/{run_id}/attempt-1/process.json"
    record = json.loads(path.read_text())
    shim = record["shim"]["pid"]
    _write_in_the_database(deck.home / "deck.db", """UPDATE attempt SET handle = '{"boot_id": "earlier"}'""")
    # As after a reboot nothing of it is there, but its pid, which is now some other program's: this one's.
    os.kill(shim, signal.SIGKILL)
    wait_for(lambda: start_time(shim) is None, "the shim is gone")
    record["shim"]["pid"] = os.getpid()
    path.write_text(json.dumps(record))
    deck.start()
    run = deck.run(run_id)
    assert (run["status"], run["status_reason"]) == ("lost", "host restarted")


def test_an_attempt_that_never_got_a_process_is_queued_again(deck: ServedDeck, stubs: Path) -> None:
    for _ in range(2):
        run_id = deck.launch(script={"path": str(stubs / "hangs.py")})["id"]
        deck.wait_for_line(run_id, "hanging")
    run_id = deck.launch("print('once')")["id"]
    deck.kill()
    database = deck.home / "deck.db"
    _write_in_the_database(database, "UPDATE run SET status = 'starting', attempt = 1 WHERE id = ?", run_id)
    claim = "INSERT INTO attempt (run_id, number, claimed_at, executor, handle, node) VALUES (?, 1, ?, 'local', ?, ?)"
    _write_in_the_database(database, claim, run_id, "2026-01-01", json.dumps({"boot_id": boot_id()}), "local")
    deck.start()
    run = deck.run(run_id)
    assert run["status"] == "queued"
    assert "never started" in run["status_reason"]
    deck.client.post("/runs/1/cancel")
    run = deck.wait_for_status(run_id, "completed")
    assert deck.log_of(run_id) == "once\n"
    assert run["attempt"] == 2


def test_a_second_server_for_the_same_deck_names_the_first(deck: ServedDeck) -> None:
    environment = {**os.environ, "TRAINDECK_HOME": str(deck.home), "TRAINDECK_PORT": "0"}
    command = [sys.executable, "-m", "traindeck.cli", "serve"]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 1
    assert deck.process is not None
    assert f"at {deck.url} by process {deck.process.pid}" in second.stderr


def _write_in_the_database(path: Path, statement: str, *values: object) -> None:
    """Leave the database as a server does that is killed at a certain place."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def _rfc3339(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
