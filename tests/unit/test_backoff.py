"""A retry that a run makes by itself waits, longer each time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from traindeck.db.tables import Run, utc_now
from traindeck.errors import RunConflict
from traindeck.runs import commands
from traindeck.runs.backoff import may_start, seconds_left, wait_seconds
from traindeck.runs.queue import Capacity, next_run, waiting_reason, waits

FREE = Capacity(cpus=2, gpus=0, free_cpus=2, free_gpus=0)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def in_seconds(seconds: float) -> datetime:
    return utc_now() + timedelta(seconds=seconds)


def test_the_wait_doubles_up_to_five_minutes():
    assert [wait_seconds(retries) for retries in range(1, 12)] == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


@pytest.mark.parametrize("retries", [0, 1, 2, 8, 9, 40])
@pytest.mark.parametrize("share", [-3.0, 0.0, 0.01, 0.5, 1.0, 1.01, 500.0])
def test_a_query_and_a_row_agree_on_who_may_start(session, add, retries, share):
    run = add(retries=retries, max_retries=99, not_before=NOON + timedelta(seconds=share * wait_seconds(retries)))
    found = session.exec(select(Run).where(may_start(NOON))).all()

    assert (run in found) is (seconds_left(run, NOON) == 0) is (not 0 < share <= 1)


def test_a_run_whose_wait_has_not_ended_holds_up_nobody(session, add):
    _waits, other = add(not_before=in_seconds(60), retries=6, priority=9), add()

    assert next_run(session, FREE) is other


def test_a_run_whose_wait_has_ended_is_next(session, add):
    again, _other = add(not_before=in_seconds(-1), retries=1), add()

    assert next_run(session, FREE) is again


def test_a_clock_that_was_set_back_by_a_day_does_not_stretch_the_wait(session, add):
    run = add(not_before=in_seconds(86_400), retries=3, max_retries=3)

    assert next_run(session, FREE) is run


def test_the_list_says_which_retry_starts_when(session, add):
    run = add(not_before=in_seconds(7.5), retries=3, max_retries=5)

    assert waiting_reason(run, FREE, 1) == "retry 3 of 5 in 8 s"


def test_a_server_that_starts_finds_the_waits_that_have_begun(session, add):
    add(), add(not_before=in_seconds(50), retries=6), add(not_before=in_seconds(50), retries=6, status="cancelled")

    assert waits(session) == [pytest.approx(50, abs=5)]


def test_whoever_asks_for_a_retry_does_not_wait(session, files, add):
    run = add(not_before=in_seconds(60), retries=6, max_retries=9, attempt=6)

    again = commands.start_again(session, run.id, resume=False)

    assert (again.status, again.not_before, again.retries) == ("queued", None, 0)
    assert next_run(session, FREE) is again


def test_a_queued_run_that_does_not_wait_for_a_retry_has_none_to_bring_forward(session, files, add):
    with pytest.raises(RunConflict, match="is queued"):
        commands.start_again(session, add().id, resume=False)


def test_what_is_cancelled_while_it_waits_does_not_start(session, add):
    run = add(not_before=in_seconds(60), retries=6)
    commands.cancel(session, run.id)
    session.refresh(run)

    assert (run.status, run.not_before) == ("cancelled", None)
