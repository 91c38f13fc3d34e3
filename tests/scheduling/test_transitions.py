"""Each change of a run's status that the scheduler makes, by ticks."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from support.scheduling import Scheduler
from traindeck.db.tables import Attempt, Run
from traindeck.executors.memory import EPOCH
from traindeck.runs.status import MOVES


def running(scheduler: Scheduler, **columns: object) -> int:
    run_id = scheduler.queue(**columns)
    scheduler.tick()
    assert scheduler.status(run_id) == "running"
    return run_id


def with_start_unrecorded(scheduler: Scheduler) -> int:
    """A run with a process whose start can never be recorded."""
    scheduler.executor.automatic = False
    run_id = scheduler.queue()
    scheduler.tick()
    scheduler.database.fail(0, 2, ValueError("on purpose"))
    scheduler.executor.begin(run_id)
    scheduler.tick()
    scheduler.pass_time()
    scheduler.database.faults = {}
    assert scheduler.status(run_id) == "starting"
    return run_id


def never_claimed(scheduler: Scheduler) -> int:
    scheduler.executor.failures["reserve"] = [ValueError("on purpose")]
    run_id = scheduler.queue()
    scheduler.tick()
    assert scheduler.reason(run_id) == "could not be claimed: ValueError: on purpose"
    return run_id


def cancelled_in_the_queue(scheduler: Scheduler) -> int:
    run_id = scheduler.queue()
    scheduler.cancel(run_id)
    scheduler.tick()
    assert scheduler.executor.processes == {}
    return run_id


def stopped_before_its_process(scheduler: Scheduler) -> int:
    scheduler.executor.automatic = False
    run_id = scheduler.queue()
    scheduler.tick()
    scheduler.cancel(run_id)
    scheduler.tick()
    scheduler.executor.begin(run_id)
    scheduler.tick()
    assert scheduler.status(run_id) == "cancelled"
    return run_id


def given_up(scheduler: Scheduler) -> int:
    scheduler.executor.automatic = False
    run_id = scheduler.queue()
    scheduler.tick()
    scheduler.executor.give_up_orders()
    scheduler.tick()
    assert scheduler.attempt(run_id, 2).started_at is None
    return run_id


def not_startable(scheduler: Scheduler) -> int:
    scheduler.executor.refusal = "No space left on device: order.json"
    run_id = scheduler.queue()
    scheduler.tick()
    assert scheduler.reason(run_id) == "could not be started: No space left on device: order.json"
    return run_id


def stopped_from_outside(scheduler: Scheduler, run_id: int) -> int:
    scheduler.executor.stop(scheduler.executor.last(run_id).handle, 1.0)
    scheduler.tick()
    assert scheduler.reason(run_id) == "stopped by a signal from outside"
    return run_id


def ended(scheduler: Scheduler, run_id: int, exit_code: int) -> int:
    scheduler.executor.end(run_id, exit_code)
    scheduler.tick()
    assert scheduler.run(run_id).exit_code == exit_code
    return run_id


def lost(scheduler: Scheduler, run_id: int) -> int:
    scheduler.executor.kill(run_id)
    scheduler.tick()
    assert "killed from outside" in scheduler.reason(run_id)
    return run_id


def stopped(scheduler: Scheduler) -> int:
    run_id = running(scheduler)
    scheduler.cancel(run_id)
    scheduler.tick()
    assert scheduler.reason(run_id) == "stopped by the user"
    return run_id


def stopped_with_its_node(scheduler: Scheduler) -> int:
    run_id = running(scheduler)
    scheduler.executor.obedient = False
    scheduler.cancel(run_id)
    scheduler.tick()
    scheduler.executor.restart_nodes()
    scheduler.tick()
    assert scheduler.reason(run_id) == "host restarted"
    return run_id


MADE: dict[tuple[str, str], Callable[[Scheduler], int]] = {
    ("queued", "starting"): running,
    ("queued", "cancelled"): cancelled_in_the_queue,
    ("queued", "failed"): never_claimed,
    ("starting", "running"): running,
    ("starting", "stopping"): stopped_before_its_process,
    ("starting", "queued"): given_up,
    ("starting", "failed"): not_startable,
    ("starting", "completed"): lambda scheduler: ended(scheduler, with_start_unrecorded(scheduler), 0),
    ("starting", "cancelled"): lambda scheduler: stopped_from_outside(scheduler, with_start_unrecorded(scheduler)),
    ("starting", "lost"): lambda scheduler: lost(scheduler, with_start_unrecorded(scheduler)),
    ("running", "stopping"): stopped,
    ("running", "completed"): lambda scheduler: ended(scheduler, running(scheduler), 0),
    ("running", "failed"): lambda scheduler: ended(scheduler, running(scheduler), 7),
    ("running", "cancelled"): lambda scheduler: stopped_from_outside(scheduler, running(scheduler)),
    ("running", "lost"): lambda scheduler: lost(scheduler, running(scheduler)),
    ("stopping", "cancelled"): stopped,
    ("stopping", "lost"): stopped_with_its_node,
}


def test_every_move_in_a_runs_life_is_made_below():
    assert set(MADE) == {(before, after) for before, later in MOVES.items() for after in later}


@pytest.mark.parametrize("move", MADE, ids=" to ".join)
def test_a_move_leaves_its_row_in_the_history_and_no_slot_taken(scheduler, move):
    run_id = MADE[move](scheduler)
    scheduler.pass_time()
    assert move in scheduler.moves(run_id)
    if scheduler.run(run_id).finished_at is not None:
        assert (scheduler.free_cpus, scheduler.attempts.live) == (3, {})


def test_the_times_are_those_of_the_process(scheduler):
    scheduler.executor.pass_time(5)
    run_id = running(scheduler)
    scheduler.executor.pass_time(10)
    ended(scheduler, run_id, 0)
    run, attempt = scheduler.run(run_id), scheduler.attempt(run_id)
    times = [
        at.timestamp() - EPOCH for at in (run.started_at, run.finished_at, attempt.started_at, attempt.finished_at)
    ]
    assert times == [5, 15, 5, 15]
    assert (attempt.seconds, attempt.exit_code) == (1.0, 0)
    assert scheduler.history(run_id) == ["starting", "running", "completed"]


def test_what_started_it_is_stored_before_there_is_a_process(new_scheduler):
    scheduler = new_scheduler(begin_work=lambda _name, _work: None)
    run_id = scheduler.queue(cpus=2)
    scheduler.tick()
    attempt = scheduler.attempt(run_id)
    assert (attempt.executor, attempt.handle, attempt.node) == ("memory", {"key": "1-1"}, "memory")
    assert scheduler.executor.processes == {}


def test_a_run_that_ends_before_its_start_was_heard_of_has_both_in_its_history(scheduler):
    scheduler.executor.automatic = False
    run_id = scheduler.queue()
    scheduler.tick()
    scheduler.executor.begin(run_id)
    scheduler.executor.end(run_id, 3)
    scheduler.tick()
    assert scheduler.history(run_id) == ["starting", "running", "failed"]
    assert scheduler.run(run_id).started_at is not None


def test_an_order_that_was_dropped_is_given_again_and_has_one_process(scheduler):
    scheduler.executor.automatic = False
    run_id = scheduler.queue()
    scheduler.tick()
    scheduler.executor.drop_orders()
    scheduler.executor.automatic = True
    scheduler.tick()
    assert scheduler.history(run_id) == ["starting", "running"]
    assert scheduler.executor.last(run_id).starts == 1


def test_how_far_a_start_is_stands_at_the_run(scheduler):
    scheduler.executor.automatic = False
    scheduler.executor.progress = "waits in the cluster's queue"
    run_id = scheduler.queue()
    scheduler.tick()
    assert (scheduler.status(run_id), scheduler.reason(run_id)) == ("starting", "waits in the cluster's queue")
    writes = scheduler.database.writes
    scheduler.tick()
    assert scheduler.database.writes == writes
    scheduler.executor.begin(run_id)
    scheduler.tick()
    assert (scheduler.status(run_id), scheduler.reason(run_id)) == ("running", "")


def test_a_process_that_does_not_obey_is_killed_after_its_grace_and_only_then_is_its_run_cancelled(scheduler):
    run_id = running(scheduler)
    scheduler.executor.obedient = False
    scheduler.cancel(run_id)
    scheduler.tick()
    scheduler.pass_time(0.9)
    assert (scheduler.status(run_id), scheduler.free_cpus) == ("stopping", 2)
    scheduler.pass_time(0.2)
    assert scheduler.reason(run_id) == "stopped by the user, killed after its grace"
    assert scheduler.executor.stopped == [run_id]


def test_a_run_that_is_killed_while_it_stops_is_cancelled(scheduler):
    run_id = running(scheduler)
    scheduler.executor.obedient = False
    scheduler.cancel(run_id)
    scheduler.tick()
    scheduler.executor.kill(run_id)
    scheduler.tick()
    assert scheduler.reason(run_id) == "stopped by the user; its process was killed"


def test_a_failed_run_is_queued_for_its_retry_until_it_has_none(scheduler):
    run_id = running(scheduler, max_retries=1)
    scheduler.executor.end(run_id, 1)
    scheduler.tick()
    run = scheduler.run(run_id)
    assert (run.status, run.retries, run.attempt) == ("queued", 1, 1)
    assert run.status_reason == "retry 1 of 1, after: exit code 1"
    assert scheduler.attempts.backoffs.seconds_until_next(30.0) == pytest.approx(2.05)
    with scheduler.database.write() as session:
        session.execute(update(Run).where(Run.id == run_id).values(not_before=None))
    scheduler.tick()
    ended(scheduler, run_id, 1)
    assert scheduler.history(run_id)[2:] == ["failed", "queued", "starting", "running", "failed"]
    assert scheduler.executor.forgotten == [(run_id, 1), (run_id, 2)]


@pytest.mark.parametrize("then", ["ends", "is killed", "goes on"])
def test_nothing_is_concluded_while_the_executor_cannot_be_reached(scheduler, then):
    run_id = running(scheduler)
    scheduler.executor.unreachable = "the cluster does not answer"
    if then == "ends":
        scheduler.executor.end(run_id, 7)
    elif then == "is killed":
        scheduler.executor.kill(run_id)
    for _ in range(20):
        scheduler.pass_time()
    assert (scheduler.status(run_id), scheduler.reason(run_id)) == ("running", "the cluster does not answer")
    assert scheduler.free_cpus == 2
    scheduler.executor.unreachable = None
    scheduler.pass_time()
    assert scheduler.status(run_id) == {"ends": "failed", "is killed": "lost", "goes on": "running"}[then]
    assert "does not answer" not in scheduler.reason(run_id)


def test_an_attempt_of_an_executor_that_the_deck_does_not_have_is_left_as_it_is(new_scheduler):
    first = new_scheduler()
    run_id = running(first)
    with first.database.write() as session:
        session.execute(update(Attempt).where(Attempt.run_id == run_id).values(executor="cluster"))
    second = new_scheduler(after=first)
    assert second.reason(run_id) == "it was started by the executor cluster, which this deck does not have"
    first.executor.kill(run_id)
    second.cancel(run_id)
    second.pass_time()
    assert (second.status(run_id), second.free_cpus) == ("stopping", 2)
    assert second.executor.stopped == []
