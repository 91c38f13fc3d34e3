"""Which run starts when, on which node, and with which slots."""

import pytest

from support.scheduling import Scheduler
from traindeck.db.tables import Run
from traindeck.executors.memory import MemoryExecutor
from traindeck.executors.protocol import Gpu, Node
from traindeck.runs.queue import queue_positions, waiting_reason


@pytest.fixture
def gpu_scheduler(new_scheduler):
    """One with four CPU slots and two GPUs."""
    return new_scheduler(executor=MemoryExecutor([Node("memory", 4, (Gpu(0), Gpu(3)))]))


def queue(scheduler: Scheduler, **columns: object) -> int:
    run_id = scheduler.queue(**columns)
    scheduler.tick()
    return run_id


def statuses(scheduler: Scheduler, *run_ids: int) -> list[str]:
    return [scheduler.status(run_id) for run_id in run_ids]


def says(scheduler: Scheduler, run_id: int) -> str:
    """Why a run waits, as the list says."""
    with scheduler.database.read() as session:
        position = queue_positions(session, [run_id])[run_id]
        return waiting_reason(session.get_one(Run, run_id), scheduler.attempts.slots.capacity, position)


def test_a_run_waits_for_its_turn_and_says_for_what(scheduler):
    _first, wide, narrow = (queue(scheduler, cpus=cpus) for cpus in (2, 2, 1))
    # One slot is free, and the narrow run would fit: but then a stream of narrow runs would starve the wide one.
    assert statuses(scheduler, wide, narrow) == ["queued", "queued"]
    assert says(scheduler, wide) == "2 CPU slots: 1 of 3 is free"
    assert "its turn" in says(scheduler, narrow)


@pytest.mark.parametrize("restarted", [False, True])
def test_runs_start_by_priority_and_then_in_order_over_a_restart_too(new_scheduler, restarted):
    scheduler = new_scheduler()
    running = queue(scheduler, cpus=3)
    first, urgent, second = (queue(scheduler, cpus=3, priority=priority) for priority in (0, 9, 0))
    if restarted:
        scheduler = new_scheduler(after=scheduler)
    started = []
    for _ in range(3):
        scheduler.executor.end(running)
        scheduler.tick()
        (running,) = scheduler.attempts.live
        started.append(running)
    assert started == [urgent, first, second]


def test_a_run_that_waits_for_a_gpu_holds_up_none_that_wants_a_cpu(gpu_scheduler):
    _both, greedy, modest = (queue(gpu_scheduler, gpus=gpus) for gpus in (2, 1, 0))
    assert statuses(gpu_scheduler, greedy, modest) == ["queued", "running"]
    assert says(gpu_scheduler, greedy) == "1 GPU: all 2 are in use"


def gpus_of(scheduler: Scheduler, run_id: int) -> object:
    return scheduler.executor.last(run_id).order.gpus


def test_gpus_are_given_back_and_held_over_a_restart(gpu_scheduler, new_scheduler):
    first = queue(gpu_scheduler, gpus=1)
    assert (gpus_of(gpu_scheduler, first), gpu_scheduler.attempt(first).gpus) == ([0], [0])
    later = new_scheduler(after=gpu_scheduler)
    second = queue(later, gpus=1)
    assert gpus_of(later, second) == [3]
    later.executor.end(first)
    later.tick()
    third = queue(later, gpus=1)
    assert gpus_of(later, third) == [0]
    assert gpus_of(later, queue(later)) == []


def test_a_node_without_gpus_says_nothing_of_them_to_its_runs(scheduler):
    assert gpus_of(scheduler, queue(scheduler)) is None


def test_a_run_starts_on_a_node_that_has_all_it_asks_for(new_scheduler):
    nodes = [Node("small", 1), Node("large", 4, (Gpu(0),))]
    scheduler = new_scheduler(executor=MemoryExecutor(nodes))
    runs = [queue(scheduler, cpus=3), queue(scheduler), queue(scheduler, gpus=1), queue(scheduler)]
    started = [scheduler.attempt(run_id).node for run_id in runs[:3]]
    assert started == ["large", "small", "large"]
    assert scheduler.status(runs[3]) == "queued"


def test_a_run_that_no_node_has_room_for_holds_up_no_other(new_scheduler):
    scheduler = new_scheduler(executor=MemoryExecutor([Node("one", 2), Node("other", 2)]))
    too_wide, narrow = queue(scheduler, cpus=3), queue(scheduler)
    assert statuses(scheduler, too_wide, narrow) == ["queued", "running"]
