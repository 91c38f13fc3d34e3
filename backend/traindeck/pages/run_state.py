"""The state of a run as a page shows it: its badge, its progress bar, and the actions that it allows."""

from dataclasses import dataclass

from traindeck.pages.metrics import last_step
from traindeck.pages.numbers import show_bytes, show_count, show_duration
from traindeck.runs.status import Status
from traindeck.runs.view import RunView
from traindeck.wording import plural

BYTES = "B"
SPELT_OUT = {"it": "iteration"}
"""Units in progress bars that are not words: tqdm's default, if the script names none."""
SHORTEST_WORD = 4
"""Shorter units, such as img or ex, are abbreviations and have no plural."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A status by word and icon; `status` selects the icon and a color that only adds to them."""

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
    """Return the badge of a status."""
    return Badge(status.value, LABELS[status])


@dataclass(frozen=True, slots=True)
class Actions:
    """Which buttons a run has."""

    cancel: bool
    retry: bool
    resume: bool
    delete: bool
    repeat: bool = True


def actions(run: RunView, *, resumable: bool = False) -> Actions:
    """Return the actions that the run's status allows. `resumable` says whether it has a checkpoint to continue from.

    An imported run cannot be started again, because its program is unknown.
    """
    ended = run.status.is_final
    stoppable = not ended and run.status is not Status.STOPPING
    known = run.trainer is not None or run.script is not None
    return Actions(
        cancel=stoppable, retry=ended and known, resume=ended and known and resumable, delete=ended, repeat=known
    )


@dataclass(frozen=True, slots=True)
class ProgressBar:
    """A bar of `value` of `total`, both None while they are unknown. `percent` is a whole number."""

    value: int | None
    total: int | None
    percent: int | None
    steps: str
    left: str
    label: str
    moving: bool


def progress_bar(run: RunView) -> ProgressBar:
    """Return the progress of the current attempt. Without reported progress, show the last step of its scalars."""
    moving = run.status.holds_slots
    progress = run.progress
    if progress is None or run.status is Status.QUEUED:
        # An empty bar would look as if a completed run had done nothing.
        whole = 1 if run.status is Status.COMPLETED else None
        step = None if run.status is Status.QUEUED else last_step(run.metrics)
        return ProgressBar(whole, whole, None, "" if step is None else f"step {show_count(step)}", "", "", moving)
    total = progress.total or None
    done = progress.step if total is None else min(max(progress.step, 0), total)
    eta = progress.eta_seconds if run.status is Status.RUNNING else None
    return ProgressBar(
        value=done if total else None,
        total=total,
        # Rounded down: 100 means finished.
        percent=done * 100 // total if total else None,
        steps=_steps(done, total, progress.unit.strip()),
        left="" if eta is None else f"{show_duration(eta)} left",
        label=progress.label or "",
        moving=moving,
    )


def _steps(done: int, total: int | None, unit: str) -> str:
    show = show_bytes if unit == BYTES else show_count
    steps = show(done) if total is None else f"{show(done)} / {show(total)}"
    return steps if unit == BYTES else f"{steps} {_plural(unit, total or done)}"


def _plural(unit: str, count: int) -> str:
    word = SPELT_OUT.get(unit, unit)
    abbreviated = len(word) < SHORTEST_WORD
    return word if abbreviated else plural(count, word)
