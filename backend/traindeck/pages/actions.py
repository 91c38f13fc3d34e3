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
    repeat: bool = True


def actions(run: RunView, *, resumable: bool = False) -> Actions:
    """A run that has ended can be retried, resumed from its last checkpoint if it has one, and deleted.

    Of an imported run nobody knows how it was started.
    """
    ended = run.status.is_final
    stoppable = not ended and run.status is not Status.STOPPING
    known = run.trainer is not None or run.script is not None
    return Actions(
        cancel=stoppable, retry=ended and known, resume=ended and known and resumable, delete=ended, repeat=known
    )
