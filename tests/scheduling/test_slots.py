"""Which run starts when, on a deck that serves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.served import ServedDeck


@pytest.fixture
def gpu_deck(tmp_path: Path) -> Iterator[ServedDeck]:
    """A deck that was told of two GPUs. Runs hold them by index, whether or not a card is there."""
    deck = ServedDeck(tmp_path / "home", cpus=4, gpus="0,3", grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


def hold(deck: ServedDeck, stubs: Path, **resources: int) -> int:
    run = deck.launch(script={"path": str(stubs / "hangs.py")}, resources=resources)
    deck.wait_for_line(run["id"], "hanging")
    return run["id"]


def test_a_run_waits_for_its_turn_and_says_for_what(deck: ServedDeck, stubs: Path) -> None:
    hold(deck, stubs, cpus=1)
    wide = deck.launch("print('wide')", resources={"cpus": 2})
    narrow = deck.launch("print('narrow')", resources={"cpus": 1})
    assert deck.run(wide["id"])["waiting_for"] == "2 CPU slots: 1 of 2 is free"
    assert deck.run(narrow["id"])["queue_position"] == 2
    # One slot is free, and the narrow run would fit: but then a stream of narrow runs would starve the wide one.
    assert deck.run(narrow["id"])["status"] == "queued"
    assert "its turn" in deck.run(narrow["id"])["waiting_for"]


def test_runs_start_by_priority_and_then_in_order(deck: ServedDeck, stubs: Path) -> None:
    blocker = hold(deck, stubs, cpus=2)
    waiting = {name: deck.launch("print(1)", resources={"cpus": 2}, priority=priority)["id"]
               for name, priority in (("first", 0), ("urgent", 9), ("second", 0))}  # fmt: skip
    deck.client.post(f"/runs/{blocker}/cancel")
    started = {name: deck.wait_for_status(run_id, "completed")["started_at"] for name, run_id in waiting.items()}
    assert sorted(started, key=lambda name: started[name]) == ["urgent", "first", "second"]


def test_a_run_that_waits_for_a_gpu_holds_up_none_that_wants_a_cpu(gpu_deck: ServedDeck, stubs: Path) -> None:
    hold(gpu_deck, stubs, cpus=1, gpus=2)
    greedy = gpu_deck.launch("print('gpu')", resources={"cpus": 1, "gpus": 1})
    modest = gpu_deck.launch("print('cpu')")
    gpu_deck.wait_for_status(modest["id"], "completed")
    assert gpu_deck.run(greedy["id"])["waiting_for"] == "1 GPU: all 2 are in use"


def test_a_run_sees_the_gpus_that_it_holds_and_no_others(gpu_deck: ServedDeck) -> None:
    source = "import os\nprint(repr(os.environ['CUDA_VISIBLE_DEVICES']))"
    logs = []
    for gpus in (0, 1, 2):
        run = gpu_deck.launch(source, resources={"gpus": gpus})
        gpu_deck.wait_for_status(run["id"], "completed")
        logs.append(gpu_deck.log_of(run["id"]))
    assert logs == ["''\n", "'0'\n", "'0,3'\n"]


def test_gpus_are_given_back_and_found_again_after_a_restart(gpu_deck: ServedDeck, stubs: Path) -> None:
    first = hold(gpu_deck, stubs, gpus=1)
    gpu_deck.kill()
    gpu_deck.start()
    run = gpu_deck.launch("import os\nprint(os.environ['CUDA_VISIBLE_DEVICES'])", resources={"gpus": 1})
    gpu_deck.wait_for_status(run["id"], "completed")
    assert gpu_deck.log_of(run["id"]) == "3\n"
    gpu_deck.client.post(f"/runs/{first}/cancel")
    gpu_deck.wait_for_status(first, "cancelled")
    again = gpu_deck.launch("import os\nprint(os.environ['CUDA_VISIBLE_DEVICES'])", resources={"gpus": 1})
    gpu_deck.wait_for_status(again["id"], "completed")
    assert gpu_deck.log_of(again["id"]) == "0\n"
