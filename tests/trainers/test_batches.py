import pytest
import torch

from traindeck.trainers.mnist.training import Batches, PlacedImages


def batches(count: int = 10, size: int = 3, seed: int = 1) -> Batches:
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None]
    return Batches(PlacedImages(images, torch.arange(count), torch.device("cpu")), size, seed)


def labels(batches: Batches) -> list[int]:
    return [label for _, some in batches for label in some.tolist()]


def test_a_pass_gives_every_image_once_with_its_label():
    pairs = [pair for images, some in batches() for pair in zip(images.flatten().tolist(), some.tolist(), strict=True)]
    assert sorted(pairs) == [(index, index) for index in range(10)]


def test_the_last_batch_of_a_pass_may_be_smaller():
    assert [len(some) for _, some in batches()] == [3, 3, 3, 1]
    assert len(batches()) == 4


def test_each_pass_has_an_order_of_its_own():
    shuffled = batches()
    first = labels(shuffled)
    shuffled.next_pass()
    assert labels(shuffled) != first


@pytest.mark.parametrize("taken", [0, 1, 3, 4])
def test_a_pass_goes_on_where_it_was_saved(taken):
    whole, interrupted = batches(), batches()
    expected = labels(whole)
    whole.next_pass()
    iterator = iter(interrupted)
    seen = [label for _ in range(taken) for label in next(iterator)[1].tolist()]
    resumed = batches(seed=99)
    resumed.load_state_dict(interrupted.state_dict())
    assert seen + labels(resumed) == expected
    resumed.next_pass()
    assert labels(resumed) == labels(whole)


def test_a_pass_can_go_on_with_another_batch_size():
    interrupted = batches(size=4)
    seen = next(iter(interrupted))[1].tolist()
    resumed = batches(size=2)
    resumed.load_state_dict(interrupted.state_dict())
    assert sorted(seen + labels(resumed)) == list(range(10))
