"""What can be done with a run, given its status."""

from dataclasses import dataclass

from traindeck.runs.status import Status
from traindeck.runs.view import RunView


@dataclass(frozen=True, slots=True)
class Actions:
    """Which buttons a run has."""

    cancel: bool
    retry: bool
    resume: bool
    delete: bool


def actions(run: RunView, *, resumable: bool = False) -> Actions:
    """A run that has ended can be retried, resumed from its last checkpoint if it has one, and deleted."""
    ended = run.status.is_final
    stoppable = not ended and run.status is not Status.STOPPING
    return Actions(cancel=stoppable, retry=ended, resume=ended and resumable, delete=ended)
