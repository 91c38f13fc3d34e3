"""A run's process sees the GPUs that its run holds."""

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


def test_a_run_sees_the_gpus_that_it_holds_and_no_others(gpu_deck: ServedDeck) -> None:
    source = "import os\nprint(repr(os.environ['CUDA_VISIBLE_DEVICES']))"
    logs = []
    for gpus in (0, 1, 2):
        run = gpu_deck.launch(source, resources={"gpus": gpus})
        gpu_deck.wait_for_status(run["id"], "completed")
        logs.append(gpu_deck.log_of(run["id"]))
    assert logs == ["''\n", "'0'\n", "'0,3'\n"]
