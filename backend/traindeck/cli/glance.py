"""Summarize a run for a row of a table or a progress line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from traindeck.cli.terminal import escape_controls

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
"""Terminal colors by status; the status itself is always printed, too."""


@dataclass(frozen=True, slots=True)
class Glance:
    """A run's summary, as texts with control characters escaped; a text is empty if there is nothing to show.

    `percent` is a whole number from 0 to 100, or None if the total is unknown. `note` is the reason why the run waits,
    or why it ended.
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
    """Summarize the run at the time `now`; `said` has the user's choices of which way scalars are better."""
    from traindeck.pages.metrics import key_metric
    from traindeck.pages.run_summary import duration, program_name, progress_bar

    seen, took, metric = progress_bar(run), duration(run, now), key_metric(run.metrics, said)
    share = "" if seen.percent is None else f"{seen.percent} %"
    note = run.waiting_for if run.status.value == "queued" else run.status_reason
    return Glance(
        status=run.status.value,
        style=STYLES[run.status.value],
        program=escape_controls(program_name(run)),
        percent=seen.percent,
        progress=escape_controls("  ".join(part for part in (seen.label, share, seen.steps, seen.left) if part)),
        duration=took.text if took else "",
        metric=escape_controls(f"{metric.tag} {metric.value}") if metric else "",
        note=escape_controls(note or ""),
    )
