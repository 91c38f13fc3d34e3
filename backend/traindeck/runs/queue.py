"""Which run starts next, and why each of the others waits."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from traindeck.db.tables import Run
from traindeck.runs.status import Status


@dataclass(frozen=True, slots=True)
class Capacity:
    """The slots of the deck: how many there are, and how many are free."""

    cpus: int
    gpus: int
    free_cpus: int
    free_gpus: int

    def lacks_cpus(self, run: Run) -> bool:
        """True where the run asks for more CPUs than are free."""
        return run.cpus > self.free_cpus

    def lacks_gpus(self, run: Run) -> bool:
        """True where the run asks for more GPUs than are free."""
        return run.gpus > self.free_gpus

    def fits(self, run: Run) -> bool:
        """True where all that the run asks for is free."""
        return not self.lacks_cpus(run) and not self.lacks_gpus(run)


def next_run(session: Session, capacity: Capacity) -> Run | None:
    """The run to start now: by priority, then by number; None where none can start.

    A run that waits for a GPU is passed by runs that want none. Nothing passes a run that waits for CPUs, as every
    run wants one: else a run that wants many would wait for ever.
    """
    if not capacity.free_cpus:
        return None
    run = _first(session, gpus_allowed=True)
    if run is not None and capacity.lacks_gpus(run):
        run = _first(session, gpus_allowed=False)
    return run if run is not None and capacity.fits(run) else None


def _first(session: Session, *, gpus_allowed: bool) -> Run | None:
    # Two steps, each one look into the partial index: ordering by "priority DESC, id" would sort the whole queue.
    waiting = [col(Run.status) == Status.QUEUED.value]
    if not gpus_allowed:
        waiting.append(col(Run.gpus) == 0)
    priority = session.execute(select(func.max(Run.priority)).where(*waiting)).scalar()
    if priority is None:
        return None
    ranked = select(Run).where(*waiting, col(Run.priority) == priority).order_by(col(Run.id)).limit(1)
    return session.execute(ranked).scalar_one_or_none()


def queue_positions(session: Session) -> dict[int, int]:
    """The place of every queued run, 1 for the one that is next."""
    rows = session.execute(
        select(col(Run.id))
        .where(col(Run.status) == Status.QUEUED.value)
        .order_by(col(Run.priority).desc(), col(Run.id))
    )
    return {run_id: place for place, (run_id,) in enumerate(rows, start=1)}


def waiting_reason(run: Run, capacity: Capacity, position: int | None) -> str:
    """Why a queued run has not started, in words for the list."""
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
