"""The life of a run: every move in the table can be made, no other can, and of two that race one wins."""

from itertools import product

import pytest
from sqlmodel import Session, select

from traindeck.db.tables import Run, RunEvent, ScalarSummary
from traindeck.runs import transitions
from traindeck.runs.queries import run_history
from traindeck.runs.status import ACTIVE, FINAL, MOVES, Status

ALLOWED = [(a, b) for a in Status for b in sorted(MOVES[a])]
FORBIDDEN = [(a, b) for a, b in product(Status, Status) if b not in MOVES[a]]


def read(session: Session, run: Run) -> Run:
    session.expire_all()
    found = session.get(Run, run.id)
    assert found is not None
    return found


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_a_move_of_the_table_is_made_and_leaves_a_row_of_history(session, add, before, after):
    run = add(status=before.value)

    assert transitions.move(session, run, after, "because")

    moved = read(session, run)
    (event,) = run_history(session, moved.id)
    assert (moved.status, moved.status_reason) == (after, "because")
    assert (event.from_status, event.to_status, event.reason) == (before, after, "because")


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_a_move_that_is_not_in_the_table_is_a_mistake_and_changes_nothing(session, add, before, after):
    run = add(status=before.value)

    with pytest.raises(ValueError, match=f"from {before} to {after}"):
        transitions.move(session, run, after)

    assert read(session, run).status == before
    assert run_history(session, run.id) == []


@pytest.mark.parametrize("final", sorted(FINAL))
def test_nothing_leads_on_from_a_final_status_within_an_attempt(final):
    assert MOVES[final] == frozenset()


def test_every_status_is_waiting_active_or_final():
    assert set(Status) == {Status.QUEUED} | ACTIVE | FINAL
    assert not ACTIVE & FINAL


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_final_move_sets_the_time_of_the_end(session, add, final):
    run = add(status="starting", attempt=1)

    transitions.move(session, run, final, exit_code=3)

    ended = read(session, run)
    assert ended.finished_at is not None
    assert ended.exit_code == 3


def test_of_two_that_move_the_same_run_the_second_is_told_that_it_lost(add, session):
    first = add(status="running", attempt=1)
    second = Run(**first.model_dump())

    assert transitions.move(session, first, Status.COMPLETED)
    assert not transitions.move(session, second, Status.FAILED, "too late")

    assert read(session, first).status == "completed"
    assert [event.to_status for event in run_history(session, first.id)] == ["completed"]


def test_whoever_read_an_earlier_attempt_cannot_move_a_later_one(session, add):
    run = add(status="running", attempt=2)
    stale = Run(**{**run.model_dump(), "attempt": 1})

    assert not transitions.move(session, stale, Status.LOST)
    assert read(session, run).status == "running"


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_run_that_has_ended_can_be_queued_for_a_new_attempt(session, add, final):
    run = add(status=final.value, attempt=1, exit_code=1, progress={"step": 3}, finished_at=None)

    assert transitions.requeue(session, run, "again", resume=True)

    again = read(session, run)
    assert (again.status, again.resume, again.exit_code, again.progress) == ("queued", True, None, None)
    assert (again.started_at, again.finished_at) == (None, None)


@pytest.mark.parametrize("status", sorted(set(Status) - FINAL))
def test_a_run_that_has_not_ended_gets_no_new_attempt(session, add, status):
    with pytest.raises(ValueError, match="has ended"):
        transitions.requeue(session, add(status=status.value), "again", resume=False)


def test_a_new_attempt_starts_without_the_scalars_of_the_one_before(session, add):
    run = add(status="queued", attempt=1, metrics={"loss": {"last": 1, "min": 1, "max": 1, "step": 1}})
    session.add(ScalarSummary(run_id=run.id, tag="loss", last=1, min=1, max=1, step=1, count=1))
    session.flush()

    transitions.move(session, run, Status.STARTING, attempt=2)

    assert read(session, run).metrics == {}
    assert session.exec(select(ScalarSummary)).all() == []


def test_history_carries_the_attempt_that_each_change_belongs_to(session, submit):
    run = submit()
    transitions.move(session, run, Status.STARTING, attempt=1)
    transitions.move(session, read(session, run), Status.RUNNING)

    rows = session.exec(select(RunEvent).order_by(RunEvent.id)).all()
    assert [(row.attempt, row.to_status) for row in rows] == [(0, "queued"), (1, "starting"), (1, "running")]
