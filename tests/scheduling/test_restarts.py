"""A run outlives the server; the next one finds it again, whatever happened meanwhile."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from support.served import ServedDeck
from support.waiting import wait_for
from traindeck.runner.identity import start_time


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


def test_a_second_server_for_the_same_deck_names_the_first(deck: ServedDeck) -> None:
    environment = {**os.environ, "TRAINDECK_HOME": str(deck.home), "TRAINDECK_PORT": "0"}
    command = [sys.executable, "-m", "traindeck.cli", "serve"]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 1
    assert deck.process is not None
    assert f"at {deck.url} by process {deck.process.pid}" in second.stderr


def _rfc3339(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
