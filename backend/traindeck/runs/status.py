"""The statuses of a run, and the allowed moves between them, as docs/runs.md draws them."""

from enum import StrEnum


class Status(StrEnum):
    """The status of a run."""

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
        """Return whether the attempt has ended. Only a new attempt changes a final status."""
        return self in FINAL

    @property
    def holds_slots(self) -> bool:
        """Return whether a process may be alive, so that the run holds its slots."""
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
"""The allowed moves within one attempt. `starting → queued` is only for an attempt that never got a process, and
`queued → failed` for a run that the deck cannot claim."""
