"""Each write of the database fails once, or for a while: the run's end is the same, or its run says why not."""

import errno
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from support.scheduling import Scheduler
from traindeck.db.engine import is_temporary

LOCKED = OperationalError("UPDATE run", {}, sqlite3.OperationalError("database is locked"))
FULL = OSError(errno.ENOSPC, "No space left on device")
FINAL = {"completed", "failed", "lost"}


CODES = (0, 7)
ENDS = ["completed", "failed"]


def live_through(scheduler: Scheduler, *faults: object, at_commit: bool = False) -> list[int]:
    """Two runs, of which the second fails; time passes, so that what failed is tried again."""
    runs = [scheduler.queue() for _ in CODES]
    if faults:
        scheduler.database.fail(*faults, at_commit=at_commit)
    wait(scheduler)
    for run_id, code in zip(runs, CODES, strict=True):
        if scheduler.executor.has_process(run_id):
            scheduler.executor.end(run_id, code)
    wait(scheduler)
    assert (scheduler.free_cpus, scheduler.attempts.live) == (3, {})
    return runs


def wait(scheduler: Scheduler) -> None:
    for seconds in (2, 2, 60):
        scheduler.pass_time(seconds)


@pytest.fixture
def writes(scheduler: Scheduler) -> int:
    """How many writes the scheduler makes for two runs where nothing fails."""
    before = scheduler.database.writes
    live_through(scheduler)
    return scheduler.database.writes - before - len(CODES)


@pytest.mark.parametrize(("error", "times", "at_commit"), [(LOCKED, 2, False), (FULL, 1, True)])
def test_a_database_that_cannot_be_written_for_a_while_costs_nothing_but_time(
    scheduler, writes, error, times, at_commit
):
    assert is_temporary(error)
    for after in range(writes):
        runs = live_through(scheduler, after, times, error, at_commit=at_commit)
        assert [scheduler.history(run_id) for run_id in runs] == [["starting", "running", end] for end in ENDS]
        assert (scheduler.run(runs[1]).exit_code, scheduler.reason(runs[1])) == (7, "exit code 7")
        assert [scheduler.executor.last(run_id).starts for run_id in runs] == [1, 1]


@pytest.mark.parametrize(("times", "at_commit"), [(1, True), (2, False)])
def test_a_write_that_fails_for_good_ends_its_own_run_and_no_other(scheduler, writes, times, at_commit):
    for after in range(writes):
        runs = live_through(scheduler, after, times, ValueError("on purpose"), at_commit=at_commit)
        statuses = [scheduler.status(run_id) for run_id in runs]
        assert set(statuses) <= FINAL, f"write {after} failed"
        wrong = [run_id for run_id, is_, should in zip(runs, statuses, ENDS, strict=True) if is_ != should]
        assert len(wrong) <= 1, f"write {after} failed"
        assert all("on purpose" in scheduler.reason(run_id) for run_id in wrong)


def test_a_start_that_is_recorded_late_is_announced_once(scheduler):
    announced: list[int] = []
    scheduler.attempts.on_started.append(lambda run_id, _number: announced.append(run_id))
    scheduler.executor.automatic = False
    run_id = scheduler.queue()
    scheduler.tick()
    scheduler.executor.begin(run_id)
    scheduler.database.fail(0, 3, LOCKED)
    for _ in range(3):
        scheduler.pass_time(1)
        assert scheduler.status(run_id) == "starting"
    scheduler.pass_time(1)
    assert scheduler.status(run_id) == "running"
    assert announced == [run_id]
    scheduler.attempt_files(run_id).folder.mkdir(parents=True)
    scheduler.attempt_files(run_id).log.write_text("twelve bytes")
    scheduler.observer.tick()
    assert scheduler.run(run_id).log_size == 12


def test_a_failure_that_does_not_pass_is_tried_again_less_and_less_often(scheduler):
    run_id = scheduler.queue()
    scheduler.tick()
    scheduler.executor.kill(run_id)
    scheduler.executor.failures["examine"] = [ValueError("on purpose")] * 1000
    scheduler.tick()
    assert "on purpose" in scheduler.reason(run_id)
    tried = [len(scheduler.executor.failures["examine"])]
    for _ in range(60):
        scheduler.pass_time(1)
        tried.append(len(scheduler.executor.failures["examine"]))
    assert scheduler.status(run_id) == "running"
    assert tried[0] - tried[-1] <= 2 * 7
    scheduler.executor.failures.clear()
    scheduler.pass_time()
    assert scheduler.status(run_id) == "lost"
