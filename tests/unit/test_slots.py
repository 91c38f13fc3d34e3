"""Slots: who holds which."""

import pytest

from traindeck.executors.protocol import Gpu, Node
from traindeck.scheduling.slots import Hold, Slots


def slots_of(cpus: int, *gpus: int) -> Slots:
    return Slots([Node("here", cpus, tuple(map(Gpu, gpus)))])


def test_a_run_gets_the_free_gpus_of_lowest_index():
    slots = slots_of(4, 0, 2, 5)
    assert slots.take(1, "here", 1, 2) == Hold("here", 1, (0, 2))
    assert slots.take(2, "here", 1, 1) == Hold("here", 1, (5,))


def test_what_is_taken_is_not_free_until_it_is_released():
    slots = slots_of(4, 0, 1)
    slots.take(1, "here", 3, 1)
    assert (slots.capacity.free_cpus, slots.capacity.free_gpus) == (1, 1)
    slots.release(1)
    assert (slots.capacity.free_cpus, slots.capacity.free_gpus) == (4, 2)


def test_releasing_twice_frees_nothing_twice():
    slots = slots_of(2)
    slots.take(1, "here", 1, 0)
    slots.release(1)
    slots.release(1)
    assert slots.capacity.free_cpus == 2


def test_a_run_found_again_keeps_its_gpus_and_may_hold_more_than_there_is_now():
    slots = slots_of(1, 0, 1)
    slots.hold(7, Hold("here", 4, (1,)))
    assert slots.capacity.free_cpus == 0
    assert slots.take(8, "here", 1, 1) == Hold("here", 1, (0,))


def test_each_node_has_slots_of_its_own():
    slots = Slots([Node("small", 1, (Gpu(0),)), Node("large", 4, (Gpu(0), Gpu(1)))])
    slots.take(1, "small", 1, 1)
    assert (slots.capacity.free_cpus, slots.capacity.free_gpus) == (4, 2)
    assert [name for name, _ in slots.free_nodes()] == ["large"]
    assert slots.take(2, "large", 2, 1) == Hold("large", 2, (0,))


@pytest.mark.parametrize("node", ["here", "elsewhere"])
def test_what_a_run_holds_on_a_node_that_is_gone_takes_nothing_of_another(node):
    slots = slots_of(3, 0)
    slots.hold(7, Hold(node, 2, (0,)))
    assert slots.capacity.free_cpus == (1 if node == "here" else 3)
