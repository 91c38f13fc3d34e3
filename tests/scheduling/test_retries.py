"""Retries that a run makes by itself: how many, and when."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from support.scheduling import Scheduler
from traindeck.db.tables import Run
from traindeck.runs import commands
from traindeck.runs.queue import queue_positions, waiting_reason


def fails(scheduler: Scheduler, run_id: int) -> Run:
    scheduler.tick()
    scheduler.executor.end(run_id, 3)
    scheduler.tick()
    return scheduler.run(run_id)


def end_wait(scheduler: Scheduler, run_id: int) -> None:
    """Let the wall clock reach the end of a run's back-off."""
    with scheduler.database.write() as session:
        passed = scheduler.run(run_id).created_at - timedelta(seconds=1)
        session.execute(update(Run).where(Run.id == run_id).values(not_before=passed))
    scheduler.tick()


def wait_of(scheduler: Scheduler) -> float:
    """How long it is until a retry starts, in seconds."""
    return scheduler.attempts.backoffs.seconds_until_next(1000.0)


def test_a_run_is_tried_again_after_two_and_four_seconds_and_holds_up_no_other(scheduler):
    run_id = scheduler.queue(max_retries=3)
    assert fails(scheduler, run_id).status == "queued"
    assert wait_of(scheduler) == pytest.approx(2.05)
    other = scheduler.queue()
    scheduler.tick()
    assert (scheduler.status(other), scheduler.run(run_id).attempt) == ("running", 1)
    scheduler.executor.pass_time(2.1)
    end_wait(scheduler, run_id)
    assert fails(scheduler, run_id).attempt == 2
    assert wait_of(scheduler) == pytest.approx(4.05)
    scheduler.executor.pass_time(4.1)
    end_wait(scheduler, run_id)
    scheduler.executor.end(run_id)
    scheduler.tick()
    run = scheduler.run(run_id)
    assert (run.status, run.attempt, run.not_before) == ("completed", 3, None)


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_failed_run_is_retried_as_often_as_was_asked(scheduler, retries):
    run_id = scheduler.queue(max_retries=retries)
    for _ in range(retries):
        assert fails(scheduler, run_id).status == "queued"
        end_wait(scheduler, run_id)
    run = fails(scheduler, run_id)
    assert (run.status, run.attempt) == ("failed", retries + 1)
    scheduler.pass_time()
    assert scheduler.status(run_id) == "failed"


def test_a_retry_that_waits_can_be_started_now_or_cancelled(scheduler):
    run_id = scheduler.queue(max_retries=9)
    fails(scheduler, run_id)
    with scheduler.database.write() as session:
        commands.start_again(session, run_id, resume=False)
    scheduler.tick()
    assert (scheduler.status(run_id), scheduler.run(run_id).attempt) == ("running", 2)
    assert fails(scheduler, run_id).not_before is not None
    scheduler.cancel(run_id)
    scheduler.pass_time()
    assert (scheduler.status(run_id), scheduler.run(run_id).attempt) == ("cancelled", 2)


def test_attempts_that_the_user_started_use_up_no_retry(scheduler):
    run_id = scheduler.queue(max_retries=1)
    scheduler.tick()
    scheduler.cancel(run_id)
    scheduler.tick()
    with scheduler.database.write() as session:
        commands.start_again(session, run_id, resume=False)
    assert fails(scheduler, run_id).status == "queued"
    end_wait(scheduler, run_id)
    run = fails(scheduler, run_id)
    assert (run.status, run.attempt) == ("failed", 3)


def test_a_wait_outlives_the_server(new_scheduler):
    first = new_scheduler()
    run_id = first.queue(max_retries=1)
    fails(first, run_id)
    second = new_scheduler(after=first)
    assert 1.0 < wait_of(second) <= 2.05
    assert second.status(run_id) == "queued"
    end_wait(second, run_id)
    assert (second.status(run_id), second.run(run_id).attempt) == ("running", 2)


def says(scheduler: Scheduler, run_id: int) -> str:
    """Why a run waits, as the list says."""
    with scheduler.database.read() as session:
        position = queue_positions(session, [run_id])[run_id]
        return waiting_reason(session.get_one(Run, run_id), scheduler.attempts.slots.capacity, position)


def test_a_retry_says_when_it_starts(scheduler):
    run_id = scheduler.queue(max_retries=3)
    fails(scheduler, run_id)
    assert says(scheduler, run_id) in ("retry 1 of 3 in 2 s", "retry 1 of 3 in 1 s")
