"""What is kept of a long series is what TensorBoard's own reservoir keeps."""

import random

import pytest
from tensorboard.backend.event_processing.reservoir import Reservoir

from traindeck.boards.samples import Draws

GROWTH = (0, 1, 2, 7, 300, 999, 5_000)


@pytest.mark.parametrize("size", [1, 10, 500, 1_000])
def test_the_same_items_survive_however_a_series_grows(size: int) -> None:
    theirs, draws, kept, seen = Reservoir(size), Draws(size), list[int](), 0
    chance = random.Random(size)
    for _ in range(30):
        new = range(seen, seen + chance.choice(GROWTH))
        for item in new:
            theirs.AddItem("", item)
        held = [*kept, *new]
        kept = [held[place] for place in draws.survivors(seen, new.stop)]
        seen = new.stop
        assert not seen or kept == theirs.Items("")
    assert seen > 10 * size or size == 1_000


def test_a_series_is_sampled_from_any_state_in_any_order() -> None:
    draws, other = Draws(10), Draws(10)
    late = draws.survivors(50_000, 50_020).tolist()
    draws.survivors(0, 100)
    assert other.survivors(0, 50_000).size == 10
    assert other.survivors(50_000, 50_020).tolist() == late
