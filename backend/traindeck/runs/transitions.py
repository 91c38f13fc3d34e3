"""The one place that changes a run's status.

Every change is one conditional update, so of two that race one wins; and leaves one row of history. What ends an
attempt, or starts the next, also sets the columns that go with it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col

from traindeck.db.tables import Run, RunEvent, ScalarSummary, utc_now
from traindeck.runs.status import ACTIVE, FINAL, MOVES, Status


def move(
    session: Session,
    run: Run,
    to: Status,
    reason: str | None = None,
    *,
    at: datetime | None = None,
    **columns: Any,
) -> bool:
    """Move `run` from the status that it was read with to `to`, within its current attempt.

    Returns:
        False, with nothing changed, where somebody else has moved it (or its attempt) on since it was read.

    Raises:
        ValueError: the life of a run has no such move.
    """
    current = Status(run.status)
    if to not in MOVES[current]:
        raise ValueError(f"run={run.id}: no move leads from {current} to {to}")
    at = at or utc_now()
    if to in FINAL:
        columns = {"finished_at": at, **columns}
    if current is Status.QUEUED:
        columns = {"not_before": None, **columns}
    afresh = to is Status.STARTING and not run.resume
    if afresh:
        columns = {"metrics": {}, **columns}
    moved = _change(session, run, to, reason, at, columns)
    if moved and afresh:
        # What the attempt before has measured is not what this one does; its event files keep it.
        session.execute(delete(ScalarSummary).where(col(ScalarSummary.run_id) == run.id))
    return moved


def requeue(
    session: Session,
    run: Run,
    reason: str,
    *,
    resume: bool,
    retries: int = 0,
    not_before: datetime | None = None,
) -> bool:
    """Queue a run that has ended for a new attempt, from its last checkpoint if `resume`.

    `retries` is how many automatic retries it has made since the user last started it, this one counted;
    `not_before` is when the back-off of such an attempt ends.

    Returns:
        False, with nothing changed, where the run has moved on since it was read.

    Raises:
        ValueError: the run has not ended.
    """
    if Status(run.status) not in FINAL:
        raise ValueError(f"run={run.id}: only a run that has ended gets a new attempt")
    columns: dict[str, Any] = {"started_at": None, "finished_at": None, "exit_code": None, "progress": None}
    columns |= {"resume": resume, "retries": retries, "not_before": not_before}
    return _change(session, run, Status.QUEUED, reason, utc_now(), columns)


def end_backoff(session: Session, run: Run, *, resume: bool) -> None:
    """Let a queued retry start now. The user requests this, so it counts as the first attempt again."""
    same = (col(Run.id) == run.id, col(Run.status) == Status.QUEUED.value)
    columns = {
        "not_before": None,
        "retries": 0,
        "resume": resume,
        "status_reason": "the user did not wait for its retry",
    }
    session.execute(update(Run).where(*same).values(**columns).execution_options(synchronize_session=False))


def record_trouble(session: Session, run_id: int, attempt: int, reason: str | None) -> None:
    """Set what the deck could not do for an attempt that has not ended; None clears it."""
    same = (col(Run.id) == run_id, col(Run.attempt) == attempt, col(Run.status).in_(ACTIVE))
    session.execute(update(Run).where(*same).values(status_reason=reason))


def record_creation(session: Session, run: Run) -> None:
    """Return the first row of a run's history."""
    assert run.id is not None
    session.add(RunEvent(run_id=run.id, attempt=0, at=run.created_at, from_status=None, to_status=run.status))


def _change(session: Session, run: Run, to: Status, reason: str | None, at: datetime, columns: dict[str, Any]) -> bool:
    same = (col(Run.id) == run.id, col(Run.status) == run.status, col(Run.attempt) == run.attempt)
    changes = {"status": to.value, "status_reason": reason, **columns}
    result = session.execute(update(Run).where(*same).values(**changes).execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        return False
    assert run.id is not None
    attempt = columns.get("attempt", run.attempt)
    session.add(RunEvent(run_id=run.id, attempt=attempt, at=at, from_status=run.status, to_status=to, reason=reason))
    return True
