"""A run at a glance: the few words that a line of a table, or a progress bar, has room for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from traindeck.cli.plain import plain

if TYPE_CHECKING:
    from traindeck.runs.directions import Better
    from traindeck.runs.view import RunView

STYLES = {
    "queued": "dim",
    "starting": "cyan",
    "running": "blue",
    "stopping": "yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
    "lost": "magenta",
}
"""Colours of a terminal by status; the word stands beside them."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What is worth saying of a run, as text that is safe on a terminal; empty where there is nothing to say.

    `percent` is a whole number from 0 to 100, or None where nobody knows how much there is to do. `note` is why the
    run waits, or why it ended as it did.
    """

    status: str
    style: str
    program: str
    percent: int | None
    progress: str
    duration: str
    metric: str
    note: str


def glance(run: "RunView", now: datetime, said: "Mapping[str, Better]") -> Glance:
    """The run at the time `now`; `said` is which way scalars are better, as far as it was set."""
    from traindeck.pages.bar import bar
    from traindeck.pages.metrics import key_metric
    from traindeck.pages.program import program
    from traindeck.pages.rows import duration

    seen, took, metric = bar(run), duration(run, now), key_metric(run.metrics, said)
    share = "" if seen.percent is None else f"{seen.percent} %"
    note = run.waiting_for if run.status.value == "queued" else run.status_reason
    return Glance(
        status=run.status.value,
        style=STYLES[run.status.value],
        program=plain(program(run)),
        percent=seen.percent,
        progress=plain("  ".join(part for part in (seen.label, share, seen.steps, seen.left) if part)),
        duration=took.text if took else "",
        metric=plain(f"{metric.tag} {metric.value}") if metric else "",
        note=plain(note or ""),
    )
