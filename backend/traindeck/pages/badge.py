"""A status as a badge shows it: by word and icon first, by colour only beside them."""

from dataclasses import dataclass

from traindeck.runs.status import Status


@dataclass(frozen=True, slots=True)
class Badge:
    """`status` selects icon and colour."""

    status: str
    label: str


LABELS: dict[Status, str] = {
    Status.QUEUED: "Queued",
    Status.STARTING: "Starting",
    Status.RUNNING: "Running",
    Status.STOPPING: "Stopping",
    Status.COMPLETED: "Completed",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
    Status.LOST: "Lost",
}


def badge(status: Status) -> Badge:
    """The badge of a status."""
    return Badge(status.value, LABELS[status])
