"""Stopping a run reaches everything that it started, and is done only when nothing of it is alive."""

import os
import signal
from pathlib import Path

from support.served import ServedDeck
from traindeck.runner.identity import marked
from traindeck.runner.order import read_order


def launch_stub(deck: ServedDeck, stub: Path, *args: str) -> int:
    return deck.launch(script={"path": str(stub), "args": list(args)})["id"]


def left_of(deck: ServedDeck, run_id: int) -> list[int]:
    return marked(read_order(deck.home / f"runs/{run_id}/attempt-1/order.json").mark)


def test_a_run_that_hangs_is_cancelled_by_term(cold_deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(cold_deck, stubs / "hangs.py")
    cold_deck.wait_for_line(run_id, "hanging")
    assert cold_deck.client.post(f"/runs/{run_id}/cancel").json()["status"] == "stopping"
    run = cold_deck.wait_for_status(run_id, "cancelled")
    assert run["status_reason"] == "stopped by the user"
    assert left_of(cold_deck, run_id) == []


def test_a_run_that_ignores_term_is_killed_after_its_grace(cold_deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(cold_deck, stubs / "ignores_term.py")
    cold_deck.wait_for_line(run_id, "deaf")
    cold_deck.client.post(f"/runs/{run_id}/cancel")
    run = cold_deck.wait_for_status(run_id, "cancelled")
    assert run["status_reason"] == "stopped by the user, killed after its grace"
    assert left_of(cold_deck, run_id) == []


def test_a_script_may_save_when_it_is_stopped(cold_deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(cold_deck, stubs / "saves_on_term.py")
    cold_deck.wait_for_line(run_id, "waiting")
    cold_deck.client.post(f"/runs/{run_id}/cancel")
    assert cold_deck.wait_for_status(run_id, "cancelled")["exit_code"] == 0
    assert cold_deck.client.get(f"/runs/{run_id}/files/saved.txt").text == "state"


def test_a_daemon_that_a_run_started_is_ended_when_the_run_is_stopped(cold_deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(cold_deck, stubs / "escapes.py", "hang")
    cold_deck.wait_for_line(run_id, "escaped")
    assert len(left_of(cold_deck, run_id)) >= 2
    cold_deck.client.post(f"/runs/{run_id}/cancel")
    cold_deck.wait_for_status(run_id, "cancelled")
    assert left_of(cold_deck, run_id) == []


def test_a_daemon_that_a_run_left_behind_is_ended_before_the_run_is_called_completed(
    cold_deck: ServedDeck, stubs: Path
) -> None:
    run_id = launch_stub(cold_deck, stubs / "escapes.py")
    cold_deck.wait_for_status(run_id, "completed")
    assert left_of(cold_deck, run_id) == []


def test_a_run_ends_though_a_grandchild_keeps_its_stdout_open(cold_deck: ServedDeck) -> None:
    run = cold_deck.launch("import subprocess\nsubprocess.Popen(['sleep', '600'])\nprint('parent ends')")
    assert cold_deck.wait_for_status(run["id"], "completed")["exit_code"] == 0
    assert left_of(cold_deck, run["id"]) == []


def test_cancelling_twice_and_cancelling_what_has_ended(cold_deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(cold_deck, stubs / "hangs.py")
    cold_deck.wait_for_line(run_id, "hanging")
    assert cold_deck.client.post(f"/runs/{run_id}/cancel").status_code == 200
    assert cold_deck.client.post(f"/runs/{run_id}/cancel").status_code == 200
    cold_deck.wait_for_status(run_id, "cancelled")
    assert cold_deck.client.post(f"/runs/{run_id}/cancel").status_code == 200
    done = cold_deck.launch("print(1)")
    cold_deck.wait_for_status(done["id"], "completed")
    refused = cold_deck.client.post(f"/runs/{done['id']}/cancel")
    assert refused.status_code == 409
    assert "ended already: completed" in refused.json()["detail"]


def test_a_queued_run_is_cancelled_without_ever_starting(cold_deck: ServedDeck, stubs: Path) -> None:
    blockers = [launch_stub(cold_deck, stubs / "hangs.py") for _ in range(2)]
    for run_id in blockers:
        cold_deck.wait_for_line(run_id, "hanging")
    waiting = cold_deck.launch("print('never')")
    assert cold_deck.client.post(f"/runs/{waiting['id']}/cancel").json()["status"] == "cancelled"
    assert not (cold_deck.home / f"runs/{waiting['id']}/attempt-1").exists()
    for run_id in blockers:
        cold_deck.client.post(f"/runs/{run_id}/cancel")
        cold_deck.wait_for_status(run_id, "cancelled")


def test_the_trainer_ends_with_its_shim_and_its_daemons_are_found(cold_deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(cold_deck, stubs / "escapes.py", "hang")
    cold_deck.wait_for_line(run_id, "escaped")
    os.kill(cold_deck.process_record(run_id)["shim"]["pid"], signal.SIGKILL)
    run = cold_deck.wait_for_status(run_id, "lost")
    assert "killed from outside" in run["status_reason"]
    assert left_of(cold_deck, run_id) == []
