"""Describe a run as pages and the command line show it: program, status, progress, duration, actions."""

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime

from traindeck.pages.metrics import last_step
from traindeck.pages.numbers import show_bytes, show_count, show_duration
from traindeck.runs.status import Status
from traindeck.runs.view import RunView
from traindeck.wording import plural

IMPORTED = "imported"
"""Shown as the program of an imported run, which the deck did not start."""
BYTES = "B"
SPELT_OUT = {"it": "iteration"}
"""Units in progress bars that are not words: tqdm's default, if the script names none."""
SHORTEST_WORD = 4
"""Shorter units, such as img or ex, are abbreviations and have no plural."""
BACK_OFF = re.compile(r" in [^ ]+ [a-z]+$")
"""The end of a reason like "retry 2 of 3 in 8 s"; the page counts the time down itself."""


def program_name(run: RunView) -> str:
    """Return the trainer's name, the script's file name or module, or the whole command."""
    if run.trainer or run.script is None:
        return run.trainer or IMPORTED
    if run.script.kind == "command":
        return shlex.join(run.script.command)
    return run.script.module or run.script.filename


def command_line(run: RunView) -> str:
    """Return the script's command for a shell, or "" for a trainer. Its folder is `Program.cwd`."""
    script = run.script
    return shlex.join(script.argv("python", script.filename)) if script else ""


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


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter, as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration. If `until` is "", it still grows, and the page counts from `since`."""

    text: str
    since: str
    until: str


def duration(run: RunView, now: datetime) -> Duration | None:
    """Return how long the current attempt has taken, or None before its start."""
    if run.started_at is None:
        return None
    end = run.finished_at
    seconds = ((end or now) - run.started_at).total_seconds()
    return Duration(show_duration(seconds), stamp(run.started_at), stamp(end) if end else "")


def stamp(at: datetime) -> str:
    """Return a time as RFC 3339 in UTC with whole seconds, for `<time datetime>`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waits_for(run: RunView) -> str:
    """Return why a queued run waits, as a sentence without its period. For a time, see `backs_off_until`."""
    reason = run.waiting_for or "its turn"
    if not reason.startswith("retry "):
        return f"Waits for {reason}"
    which = reason.removeprefix("retry ")
    return f"Retry {BACK_OFF.sub('', which) if run.not_before else which}"


def backs_off_until(run: RunView) -> str:
    """Return when a run that waits for its next retry may start, in the form of `stamp`; "" for other runs."""
    waits = run.status is Status.QUEUED and (run.waiting_for or "").startswith("retry ")
    return stamp(run.not_before) if waits and run.not_before else ""
