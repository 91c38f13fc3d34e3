"""Stopping a run reaches everything that it started, and is done only when nothing of it is alive."""

import os
import signal
from pathlib import Path

from support.served import ServedDeck
from traindeck.runner.family import marked
from traindeck.runner.order import read_order


def launch_stub(deck: ServedDeck, stub: Path, *args: str) -> int:
    return deck.launch(script={"path": str(stub), "args": list(args)})["id"]


def left_of(deck: ServedDeck, run_id: int) -> list[int]:
    return marked(read_order(deck.home / f"runs/{run_id}/attempt-1/order.json").mark)


def test_a_run_that_hangs_is_cancelled_by_term(deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(deck, stubs / "hangs.py")
    deck.wait_for_line(run_id, "hanging")
    assert deck.client.post(f"/runs/{run_id}/cancel").json()["status"] == "stopping"
    run = deck.wait_for_status(run_id, "cancelled")
    assert run["status_reason"] == "stopped by the user"
    assert left_of(deck, run_id) == []


def test_a_run_that_ignores_term_is_killed_after_its_grace(deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(deck, stubs / "ignores_term.py")
    deck.wait_for_line(run_id, "deaf")
    deck.client.post(f"/runs/{run_id}/cancel")
    run = deck.wait_for_status(run_id, "cancelled")
    assert run["status_reason"] == "stopped by the user, killed after its grace"
    assert left_of(deck, run_id) == []


def test_a_script_may_save_when_it_is_stopped(deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(deck, stubs / "saves_on_term.py")
    deck.wait_for_line(run_id, "waiting")
    deck.client.post(f"/runs/{run_id}/cancel")
    assert deck.wait_for_status(run_id, "cancelled")["exit_code"] == 0
    assert deck.client.get(f"/runs/{run_id}/files/saved.txt").text == "state"


def test_a_daemon_that_a_run_started_is_ended_when_the_run_is_stopped(deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(deck, stubs / "escapes.py", "hang")
    deck.wait_for_line(run_id, "escaped")
    assert len(left_of(deck, run_id)) >= 2
    deck.client.post(f"/runs/{run_id}/cancel")
    deck.wait_for_status(run_id, "cancelled")
    assert left_of(deck, run_id) == []


def test_a_daemon_that_a_run_left_behind_is_ended_before_the_run_is_called_completed(
    deck: ServedDeck, stubs: Path
) -> None:
    run_id = launch_stub(deck, stubs / "escapes.py")
    deck.wait_for_status(run_id, "completed")
    assert left_of(deck, run_id) == []


def test_a_run_ends_though_a_grandchild_keeps_its_stdout_open(deck: ServedDeck) -> None:
    run = deck.launch("import subprocess\nsubprocess.Popen(['sleep', '600'])\nprint('parent ends')")
    assert deck.wait_for_status(run["id"], "completed")["exit_code"] == 0
    assert left_of(deck, run["id"]) == []


def test_cancelling_twice_and_cancelling_what_has_ended(deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(deck, stubs / "hangs.py")
    deck.wait_for_line(run_id, "hanging")
    assert deck.client.post(f"/runs/{run_id}/cancel").status_code == 200
    assert deck.client.post(f"/runs/{run_id}/cancel").status_code == 200
    deck.wait_for_status(run_id, "cancelled")
    assert deck.client.post(f"/runs/{run_id}/cancel").status_code == 200
    done = deck.launch("print(1)")
    deck.wait_for_status(done["id"], "completed")
    refused = deck.client.post(f"/runs/{done['id']}/cancel")
    assert refused.status_code == 409
    assert "ended already: completed" in refused.json()["detail"]


def test_a_queued_run_is_cancelled_without_ever_starting(deck: ServedDeck, stubs: Path) -> None:
    blockers = [launch_stub(deck, stubs / "hangs.py") for _ in range(2)]
    for run_id in blockers:
        deck.wait_for_line(run_id, "hanging")
    waiting = deck.launch("print('never')")
    assert deck.client.post(f"/runs/{waiting['id']}/cancel").json()["status"] == "cancelled"
    assert not (deck.home / f"runs/{waiting['id']}/attempt-1").exists()


def test_the_trainer_ends_with_its_shim_and_its_daemons_are_found(deck: ServedDeck, stubs: Path) -> None:
    run_id = launch_stub(deck, stubs / "escapes.py", "hang")
    deck.wait_for_line(run_id, "escaped")
    os.kill(deck.process_record(run_id)["shim"]["pid"], signal.SIGKILL)
    run = deck.wait_for_status(run_id, "lost")
    assert "killed from outside" in run["status_reason"]
    assert left_of(deck, run_id) == []
