"""Which run starts next, and why each of the others waits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from traindeck.db.tables import Run, utc_now
from traindeck.runs.backoff import may_start, seconds_left
from traindeck.runs.status import Status


@dataclass(frozen=True, slots=True)
class Capacity:
    """The slots of the deck: how many there are, and how many are free."""

    cpus: int
    gpus: int
    free_cpus: int
    free_gpus: int

    def lacks_cpus(self, run: Any) -> bool:
        """Return whether the run requests more CPUs than are free."""
        return bool(run.cpus > self.free_cpus)

    def lacks_gpus(self, run: Any) -> bool:
        """Return whether the run requests more GPUs than are free."""
        return bool(run.gpus > self.free_gpus)

    def fits(self, run: Any) -> bool:
        """Return whether all requested slots are free."""
        return not self.lacks_cpus(run) and not self.lacks_gpus(run)


def next_run(session: Session, capacity: Capacity, skipped: Collection[int] = ()) -> Run | None:
    """Return the run to start now, by priority and then by number; None if none can start.

    Runs without GPUs overtake a run that waits for a GPU. Nothing overtakes a run that waits for CPUs, because every
    run needs one: otherwise a run that needs many would wait forever. These do not hold up others: a run that requests
    more than the deck has (it was restarted with fewer slots), a run in back-off, and the runs in `skipped`.
    """
    run = _next(session, capacity, skipped, select(Run))
    return run[0] if run else None


def next_number(session: Session, capacity: Capacity, skipped: Collection[int] = ()) -> int | None:
    """Return the number of the run that `next_run` gives.

    Nothing of the run but what it asks for is read: one whose row cannot be read is known by its number.
    """
    row = _next(session, capacity, skipped, select(col(Run.id), col(Run.cpus), col(Run.gpus)))
    return row.id if row else None


def _next(session: Session, capacity: Capacity, skipped: Collection[int], chosen: Any) -> Any:
    if not capacity.free_cpus:
        return None
    row = _first(session, capacity, skipped, chosen, gpus=capacity.gpus)
    if row is not None and capacity.lacks_gpus(_asking(row)):
        row = _first(session, capacity, skipped, chosen, gpus=0)
    return row if row is not None and capacity.fits(_asking(row)) else None


def _asking(row: Any) -> Any:
    """Return the slots that a run requests."""
    return row[0] if len(row) == 1 else row


def _queued(run: Any = Run) -> Any:
    # Written out, not bound: SQLite does not look into a partial index for a value that it is not told beforehand.
    return col(run.status) == literal_column(f"'{Status.QUEUED.value}'")


def _first(session: Session, capacity: Capacity, skipped: Collection[int], chosen: Any, *, gpus: int) -> Any:
    # Two steps, each one look into the partial index: ordering by "priority DESC, id" would sort the whole queue.
    waiting = [_queued(), col(Run.cpus) <= capacity.cpus, col(Run.gpus) <= gpus, may_start(utc_now())]
    if skipped:
        waiting.append(col(Run.id).not_in(skipped))
    priority = session.execute(select(func.max(Run.priority)).where(*waiting)).scalar()
    if priority is None:
        return None
    ranked = chosen.where(*waiting, col(Run.priority) == priority).order_by(col(Run.id)).limit(1)
    return session.execute(ranked).first()


def waits(session: Session) -> list[float]:
    """Return the remaining seconds of every back-off in the queue."""
    held = session.execute(
        select(col(Run.not_before), col(Run.retries)).where(_queued(), col(Run.not_before).is_not(None))
    )
    return [seconds_left(run) for run in held]


def queue_positions(session: Session, run_ids: Sequence[int]) -> dict[int, int]:
    """Return the places of queued runs, 1 for the next one. Other runs are left out."""
    rows = session.execute(_positions(), {"run_ids": list(run_ids)})
    return {run_id: position for run_id, position in rows if run_id is not None}


@cache
def _positions() -> Any:
    # Made once: to put it together takes longer than to run it.
    ahead = aliased(Run)
    counted = select(func.count()).select_from(ahead).where(_queued(ahead)).correlate(Run)
    above = counted.where(col(ahead.priority) > col(Run.priority))
    beside = counted.where(col(ahead.priority) == col(Run.priority), col(ahead.id) <= col(Run.id))
    # Two counts, each one range of the index; joined by OR they would be a scan of it.
    place = above.scalar_subquery() + beside.scalar_subquery()
    return select(col(Run.id), place).where(_queued(), col(Run.id).in_(bindparam("run_ids", expanding=True)))


def waiting_reason(run: Run, capacity: Capacity, position: int | None) -> str:
    """Return why a queued run has not started, as text for the list."""
    if run.gpus > capacity.gpus or run.cpus > capacity.cpus:
        return f"more than this machine has: it has {capacity.cpus} CPU and {capacity.gpus} GPU slots for runs"
    if left := seconds_left(run):
        return f"retry {run.retries} of {run.max_retries} in {ceil(left)} s"
    if run.gpus and capacity.lacks_gpus(run):
        return _short_of("GPU", run.gpus, capacity.free_gpus, capacity.gpus)
    if capacity.lacks_cpus(run):
        return _short_of("CPU slot", run.cpus, capacity.free_cpus, capacity.cpus)
    if position and position > 1:
        return "its turn: runs ahead of it in the queue start first"
    return "nothing: it starts in a moment"


def _short_of(unit: str, wanted: int, free: int, total: int) -> str:
    units = unit if wanted == 1 else f"{unit}s"
    have = f"{free} of {total} {'is' if free == 1 else 'are'} free" if free else f"all {total} are in use"
    if total == 1 and not free:
        have = "the only one is in use"
    return f"{wanted} {units}: {have}"
