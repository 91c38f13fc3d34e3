"""A run as a row of the list, and the texts that other pages share with it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from traindeck.pages.metrics import NOTHING, Directions, Metric, key_metric
from traindeck.pages.numbers import show_duration, show_setting
from traindeck.pages.program_text import command_line, given_params, program_name
from traindeck.pages.run_state import Actions, Badge, ProgressBar, actions, badge, progress_bar
from traindeck.runs.status import Status
from traindeck.runs.view import RunView

SETTINGS_SHOWN = 4
DISTINCTIVE = ("dataset", "epochs", "batch_size", "lr", "learning_rate", "optimizer", "seed")
"""Parameters in which runs differ most often. They are shown before the others."""

MODULE_PATH = re.compile(r"^(exit code \d+: )?(?:[^\W\d]\w*\.)+(?=[A-Z]\w*(?::|$))")
"""The module path before an exception's name in a reason; it is left out to leave space for the message."""

BACK_OFF = re.compile(r" in [^ ]+ [a-z]+$")


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


@dataclass(frozen=True, slots=True)
class RunRow:
    """What a row shows. `note` is the reason why the run waits or why it ended, `note_in_full` the same unabridged.

    `until` is when its back-off ends, or "".
    """

    id: int
    name: str
    url: str
    badge: Badge
    program: str
    program_in_full: str
    settings: list[Setting]
    tags: list[str]
    bar: ProgressBar
    note: str
    note_in_full: str
    until: str
    ended: bool
    place: str
    metric: Metric | None
    created: str
    duration: Duration | None
    actions: Actions


def run_row(run: RunView, now: datetime, said: Directions = NOTHING) -> RunRow:
    """Return the row of a run at `now`. `said` has the user's choices of which way scalars are better."""
    until = backs_off_until(run)
    return RunRow(
        id=run.id,
        name=run.name,
        url=f"/runs/{run.id}",
        badge=badge(run.status),
        program=program_name(run),
        program_in_full=command_line(run) or program_name(run),
        settings=main_settings(run),
        tags=run.tags,
        bar=progress_bar(run),
        note=MODULE_PATH.sub(r"\1", _note(run)),
        note_in_full=_note(run),
        until=until,
        ended=run.status.is_final,
        place=f"#{run.queue_position} in line" if run.queue_position and not until else "",
        metric=key_metric(run.metrics, said),
        created=stamp(run.created_at),
        duration=duration(run, now),
        actions=actions(run),
    )


def main_settings(run: RunView) -> list[Setting]:
    """Return the settings for which a row has space: those given, then the distinctive ones, then others.

    A script whose options are unknown shows its arguments instead.
    """
    if run.script is not None and not run.params:
        return [Setting("", " ".join(run.script.args))] if run.script.args else []
    given = given_params(run.script.args, run.params) if run.script else []
    names = dict.fromkeys([*given, *(name for name in DISTINCTIVE if name in run.params), *run.params])
    return [Setting(name, show_setting(run.params[name])) for name in list(names)[:SETTINGS_SHOWN]]


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
    # "retry 2 of 3 in 8 s": the page counts the time down itself.
    return f"Retry {BACK_OFF.sub('', reason[len('retry ') :]) if run.not_before else reason[len('retry ') :]}"


def backs_off_until(run: RunView) -> str:
    """Return when a run that waits for its next retry may start, in the form of `stamp`; "" for other runs."""
    waits = run.status is Status.QUEUED and (run.waiting_for or "").startswith("retry ")
    return stamp(run.not_before) if waits and run.not_before else ""


def _note(run: RunView) -> str:
    return waits_for(run) if run.status is Status.QUEUED else run.status_reason or ""
