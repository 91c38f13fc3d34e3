"""Slots: who holds which."""

from traindeck.scheduling.slots import Hold, Slots


def test_a_run_gets_the_free_gpus_of_lowest_index():
    slots = Slots(4, (0, 2, 5))
    assert slots.take(1, 1, 2) == Hold(1, (0, 2))
    assert slots.take(2, 1, 1) == Hold(1, (5,))


def test_what_is_taken_is_not_free_until_it_is_released():
    slots = Slots(4, (0, 1))
    slots.take(1, 3, 1)
    assert (slots.capacity.free_cpus, slots.capacity.free_gpus) == (1, 1)
    slots.release(1)
    assert (slots.capacity.free_cpus, slots.capacity.free_gpus) == (4, 2)


def test_releasing_twice_frees_nothing_twice():
    slots = Slots(2, ())
    slots.take(1, 1, 0)
    slots.release(1)
    slots.release(1)
    assert slots.capacity.free_cpus == 2


def test_a_run_found_again_keeps_its_gpus_and_may_hold_more_than_there_is_now():
    slots = Slots(1, (0, 1))
    slots.hold(7, Hold(4, (1,)))
    assert slots.capacity.free_cpus == 0
    assert slots.take(8, 1, 1) == Hold(1, (0,))
