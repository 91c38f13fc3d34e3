"""One run as a row of the list."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from traindeck.pages.actions import Actions, actions
from traindeck.pages.badge import Badge, badge
from traindeck.pages.bar import Bar, bar
from traindeck.pages.metrics import NOTHING, Directions, Metric, key_metric
from traindeck.pages.numbers import show_duration, show_setting
from traindeck.pages.program import command_line, given_params, program
from traindeck.runs.status import Status
from traindeck.runs.view import RunView

SETTINGS_SHOWN = 4
TELLING = ("dataset", "epochs", "batch_size", "lr", "learning_rate", "optimizer", "seed")
"""The parameters that set two runs apart most often; the others follow in their own order."""

MODULE_PATH = re.compile(r"^(exit code \d+: )?(?:[^\W\d]\w*\.)+(?=[A-Z]\w*(?::|$))")
"""What stands before an exception's own name in a reason: it takes the room that the message needs."""

BACK_OFF = re.compile(r" in [^ ]+ [a-z]+$")


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter, as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Duration:
    """A stretch of time; without `until` it still grows, and the page counts on from `since`."""

    text: str
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Row:
    """What a row shows. `note` is why the run waits, or why it ended as it did; `note_in_full` is that uncut.

    `until` is when its back-off ends, "" where it waits for something else, or for nothing.
    """

    id: int
    name: str
    url: str
    badge: Badge
    program: str
    program_in_full: str
    settings: list[Setting]
    tags: list[str]
    bar: Bar
    note: str
    note_in_full: str
    until: str
    ended: bool
    place: str
    metric: Metric | None
    created: str
    duration: Duration | None
    actions: Actions


def row(run: RunView, now: datetime, said: Directions = NOTHING) -> Row:
    """The row of a run at `now`; `said` is which way scalars are better."""
    until = backs_off_until(run)
    return Row(
        id=run.id,
        name=run.name,
        url=f"/runs/{run.id}",
        badge=badge(run.status),
        program=program(run),
        program_in_full=command_line(run) or program(run),
        settings=telling_settings(run),
        tags=run.tags,
        bar=bar(run),
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


def telling_settings(run: RunView) -> list[Setting]:
    """The few settings that a row has room for: those that were given, those that tell most, the others.

    A script whose options are not known has its arguments instead.
    """
    if run.script is not None and not run.params:
        return [Setting("", " ".join(run.script.args))] if run.script.args else []
    given = given_params(run.script.args, run.params) if run.script else []
    names = dict.fromkeys([*given, *(name for name in TELLING if name in run.params), *run.params])
    return [Setting(name, show_setting(run.params[name])) for name in list(names)[:SETTINGS_SHOWN]]


def duration(run: RunView, now: datetime) -> Duration | None:
    """How long the run's current attempt has taken; None before it started."""
    if run.started_at is None:
        return None
    end = run.finished_at
    seconds = ((end or now) - run.started_at).total_seconds()
    return Duration(show_duration(seconds), stamp(run.started_at), stamp(end) if end else "")


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as `<time datetime>` takes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waits_for(run: RunView) -> str:
    """Why a queued run has not started, as a sentence without its full stop; `backs_off_until` may say until when."""
    reason = run.waiting_for or "its turn"
    if not reason.startswith("retry "):
        return f"Waits for {reason}"
    # "retry 2 of 3 in 8 s": it waits for a time, which the page counts down by itself.
    return f"Retry {BACK_OFF.sub('', reason[len('retry ') :]) if run.not_before else reason[len('retry ') :]}"


def backs_off_until(run: RunView) -> str:
    """When a run that waits for its next retry may start, as `stamp` says it; "" for any other run."""
    waits = run.status is Status.QUEUED and (run.waiting_for or "").startswith("retry ")
    return stamp(run.not_before) if waits and run.not_before else ""


def _note(run: RunView) -> str:
    return waits_for(run) if run.status is Status.QUEUED else run.status_reason or ""
