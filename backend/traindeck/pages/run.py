"""The page of one run."""

import json
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from traindeck.pages.actions import Actions, actions
from traindeck.pages.badge import Badge, badge
from traindeck.pages.bar import Bar, bar
from traindeck.pages.deck import DeckState, Shell
from traindeck.pages.environment import render
from traindeck.pages.metrics import main_tags
from traindeck.pages.numbers import show_count, show_setting
from traindeck.pages.rows import Duration, Setting, duration, program, stamp, waits_for
from traindeck.runs.status import Status
from traindeck.runs.view import HistoryEntry, RunView


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history, newest last."""

    at: str
    attempt: int
    badge: Badge
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands beside the curves."""

    created: str
    started: str
    finished: str
    resources: str
    attempt: str
    exit_code: str
    priority: str


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run. `reason` is in full; `main_tags` is a JSON list of the scalars to draw first.

    `command` is the script as a shell would be given it, `again` the JSON that launches such a run; either may be "".
    """

    shell: Shell
    id: int
    name: str
    url: str
    badge: Badge
    program: str
    program_title: str
    script_path: str
    bar: Bar
    reason: str
    waiting: str
    facts: Facts
    duration: Duration | None
    settings: list[Setting]
    command: str
    again: str
    tags: list[str]
    notes: str
    changes: list[Change]
    attempts: list[int]
    attempt: int
    actions: Actions
    final: bool
    log_size: int
    main_tags: str
    tag_count: int
    scalar_steps: int


def render_run(
    run: RunView,
    *,
    history: list[HistoryEntry],
    attempts: list[int],
    trainer_title: str | None,
    resumable: bool,
    fragment: bool,
    deck: DeckState | None = None,
) -> str:
    """One run as a page, or with `fragment` only its live parts. `attempts` are their numbers."""
    context = _context(run, history, attempts, trainer_title or program(run), resumable, deck)
    return render("run/fragment.html" if fragment else "run/page.html", context)


def _context(
    run: RunView,
    history: list[HistoryEntry],
    attempts: list[int],
    title: str,
    resumable: bool,
    deck: DeckState | None,
) -> RunContext:
    return RunContext(
        shell=Shell(title=_title(run), section="runs", deck=deck, events=f"/events?run={run.id}"),
        id=run.id,
        name=run.name,
        url=f"/runs/{run.id}",
        badge=badge(run.status),
        program=program(run),
        program_title=title,
        script_path=(run.script.path or "") if run.script else "",
        bar=bar(run),
        reason=run.status_reason or "",
        waiting=_waiting(run),
        facts=_facts(run),
        duration=duration(run, datetime.now(UTC)),
        settings=[Setting(name, show_setting(value)) for name, value in run.params.items()],
        command=shlex.join([run.script.filename, *run.script.args]) if run.script else "",
        again=_again(run),
        tags=run.tags,
        notes=run.notes,
        changes=[_change(entry) for entry in history],
        attempts=attempts or [1],
        attempt=run.attempt,
        actions=actions(run, resumable=resumable),
        final=run.status.is_final,
        log_size=run.log_size,
        main_tags=json.dumps(main_tags(run.metrics)),
        tag_count=len(run.metrics),
        scalar_steps=max((metric.step for metric in run.metrics.values()), default=0),
    )


def _title(run: RunView) -> str:
    percent = bar(run).percent
    if run.status is Status.RUNNING and percent is not None:
        return f"{percent}% {run.name}"
    return f"{run.name} · {badge(run.status).label}"


def _waiting(run: RunView) -> str:
    if run.status is not Status.QUEUED:
        return ""
    place = f"Number {run.queue_position} in line. " if run.queue_position else ""
    return f"{place}{waits_for(run)}"


def _facts(run: RunView) -> Facts:
    return Facts(
        created=stamp(run.created_at),
        started=stamp(run.started_at) if run.started_at else "",
        finished=stamp(run.finished_at) if run.finished_at else "",
        resources=_resources(run),
        attempt=show_count(run.attempt) if run.attempt else "",
        exit_code="" if run.exit_code is None else str(run.exit_code),
        priority=str(run.priority),
    )


def _resources(run: RunView) -> str:
    cpus, gpus = run.resources.cpus, run.resources.gpus
    return f"{cpus} CPU, {gpus} GPU" if gpus else f"{cpus} CPU"


def _again(run: RunView) -> str:
    """The body of the POST /runs that launches such a run; "" where the page does not know the script's source."""
    if run.script is None:
        program: dict[str, Any] = {"trainer": run.trainer, "params": run.params}
    elif run.script.path:
        program = {"script": {"path": run.script.path, "args": run.script.args}}
    else:
        return ""
    return json.dumps({**program, "tags": run.tags, "resources": run.resources.model_dump()})


def _change(entry: HistoryEntry) -> Change:
    return Change(stamp(entry.at), entry.attempt, badge(entry.to_status), entry.reason or "")
