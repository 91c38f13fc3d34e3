"""The statuses of a run, and the moves between them: the drawing in docs/runs.md, as a table."""

from enum import StrEnum


class Status(StrEnum):
    """Where a run is in its life."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """True where an attempt has ended: only a new attempt leads on from here."""
        return self in FINAL

    @property
    def holds_slots(self) -> bool:
        """True while a process may be alive, so that the slots of the run are taken."""
        return self in ACTIVE


FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.LOST})
ACTIVE = frozenset({Status.STARTING, Status.RUNNING, Status.STOPPING})

MOVES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.STARTING, Status.CANCELLED, Status.FAILED}),
    Status.STARTING: frozenset({Status.RUNNING, Status.STOPPING, Status.QUEUED, *FINAL}),
    Status.RUNNING: frozenset({Status.STOPPING, *FINAL}),
    Status.STOPPING: frozenset({Status.CANCELLED, Status.LOST}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.LOST: frozenset(),
}
"""What may follow what within one attempt. `starting → queued` is only for an attempt that never got a process, and
`queued → failed` for a run that the deck itself cannot claim."""
