"""A run's progress as a bar."""

from dataclasses import dataclass

from traindeck.counting import plural
from traindeck.pages.metrics import last_step
from traindeck.pages.numbers import show_bytes, show_count, show_duration
from traindeck.runs.status import Status
from traindeck.runs.view import RunView

BYTES = "B"
SPELT_OUT = {"it": "iteration"}
"""Units of progress bars in a run's output that are no words: tqdm's own, where the script names none."""
SHORTEST_WORD = 4
"""Shorter units, such as img or ex, are abbreviations and have no plural."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of `value` of `total`; None for both while nothing is known. `percent` is a whole number."""

    value: int | None
    total: int | None
    percent: int | None
    steps: str
    left: str
    label: str
    moving: bool


def bar(run: RunView) -> Bar:
    """How far the run's current attempt is; of a run that never said so only the step of its scalars is known."""
    moving = run.status.holds_slots
    progress = run.progress
    if progress is None or run.status is Status.QUEUED:
        # A bar that stays empty would say that a completed run did nothing.
        whole = 1 if run.status is Status.COMPLETED else None
        step = None if run.status is Status.QUEUED else last_step(run.metrics)
        return Bar(whole, whole, None, "" if step is None else f"step {show_count(step)}", "", "", moving)
    total = progress.total or None
    done = progress.step if total is None else min(max(progress.step, 0), total)
    eta = progress.eta_seconds if run.status is Status.RUNNING else None
    return Bar(
        value=done if total else None,
        total=total,
        # 100 is for what is finished: 99.6 % must not say so.
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
