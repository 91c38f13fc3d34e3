"""The page of one run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from traindeck.pages.actions import Actions, actions
from traindeck.pages.badge import Badge, badge
from traindeck.pages.bar import Bar, bar
from traindeck.pages.deck import DeckState, Shell
from traindeck.pages.environment import render
from traindeck.pages.metrics import NOTHING, Directions, last_step, main_tags
from traindeck.pages.numbers import show_count, show_setting
from traindeck.pages.program import command_line, program
from traindeck.pages.resume import Resume, resume
from traindeck.pages.rows import Duration, Setting, backs_off_until, duration, stamp, waits_for
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
    script: str
    folder: str
    start: str


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run. `reason` is in full; `main_tags` is a JSON list of the scalars to draw first.

    `command` is the script as a shell would be given it, or "". `resume` says what it can go on from, if anything.
    """

    shell: Shell
    id: int
    name: str
    url: str
    badge: Badge
    program: str
    program_title: str
    rerun_of: int | None
    bar: Bar
    reason: str
    waiting: str
    until: str
    facts: Facts
    duration: Duration | None
    settings: list[Setting]
    command: str
    tags: list[str]
    notes: str
    changes: list[Change]
    attempts: list[int]
    attempt: int
    actions: Actions
    resume: Resume | None
    final: bool
    log_size: int
    main_tags: str
    tag_count: int
    scalar_steps: int
    opens_board: bool
    problems: Sequence[str]
    unread_logs: str


def render_run(
    run: RunView,
    *,
    history: list[HistoryEntry],
    attempts: list[int],
    trainer_title: str | None,
    checkpoint: str | None,
    fragment: bool,
    deck: DeckState | None = None,
    opens_board: bool = True,
    told: str | None = None,
    said: Directions = NOTHING,
    problems: Sequence[str] = (),
    unreadable: Sequence[str] = (),
) -> str:
    """One run as a page, or with `fragment` only its live parts.

    `attempts` are their numbers; `checkpoint` is the path of the file that a resumed attempt would go on from, and
    `told` the way in which a script gets it, None where it is not known to read one. Where `opens_board` is false, the
    address alone opens no TensorBoard, as another site has chosen it. `said` is which way scalars are better.
    `problems` are what the curves lack or have corrected. `unreadable` are folders in which the run has made event
    files that the server cannot read.
    """
    context = _context(
        run,
        history,
        attempts,
        trainer_title or program(run),
        resume(run, checkpoint, told),
        deck,
        opens_board,
        said,
        problems,
        unreadable,
    )
    return render("run/fragment.html" if fragment else "run/page.html", context)


def _context(
    run: RunView,
    history: list[HistoryEntry],
    attempts: list[int],
    title: str,
    going_on: Resume | None,
    deck: DeckState | None,
    opens_board: bool,
    said: Directions,
    problems: Sequence[str],
    unreadable: Sequence[str],
) -> RunContext:
    return RunContext(
        shell=Shell(title=_title(run), section="runs", deck=deck, events=f"/events?run={run.id}"),
        id=run.id,
        name=run.name,
        url=f"/runs/{run.id}",
        badge=badge(run.status),
        program=program(run),
        program_title=title,
        rerun_of=run.rerun_of,
        bar=bar(run),
        reason=run.status_reason or "",
        waiting=_waiting(run),
        until=backs_off_until(run),
        facts=_facts(run),
        duration=duration(run, datetime.now(UTC)),
        settings=[Setting(name, show_setting(value)) for name, value in run.params.items()],
        command=command_line(run),
        tags=run.tags,
        notes=run.notes,
        changes=[_change(entry) for entry in history],
        attempts=attempts or [1],
        attempt=run.attempt,
        actions=actions(run, resumable=going_on is not None and going_on.offered),
        resume=going_on,
        final=run.status.is_final,
        log_size=run.log_size,
        main_tags=json.dumps(main_tags(run.metrics, said=said)),
        tag_count=len(run.metrics),
        scalar_steps=last_step(run.metrics) or 0,
        opens_board=opens_board,
        problems=problems,
        unread_logs=_unread_logs(unreadable),
    )


def _unread_logs(folders: Sequence[str]) -> str:
    if not folders:
        return ""
    return (
        f"This run wrote event files to {' and '.join(folders)}, which the server cannot read. "
        "Copy that folder to this machine, then run: traindeck import FOLDER"
    )


def _title(run: RunView) -> str:
    percent = bar(run).percent
    if run.status is Status.RUNNING and percent is not None:
        return f"{percent}% {run.name}"
    return f"{run.name} · {badge(run.status).label}"


def _waiting(run: RunView) -> str:
    if run.status is not Status.QUEUED:
        return ""
    place = f"Number {run.queue_position} in line. " if run.queue_position and not backs_off_until(run) else ""
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
        script=(run.script.path or "") if run.script else "",
        folder=(run.script.cwd or "") if run.script else "",
        start="cold" if run.start == "cold" else "",
    )


def _resources(run: RunView) -> str:
    cpus, gpus = run.resources.cpus, run.resources.gpus
    return f"{cpus} CPU, {gpus} GPU" if gpus else f"{cpus} CPU"


def _change(entry: HistoryEntry) -> Change:
    return Change(stamp(entry.at), entry.attempt, badge(entry.to_status), entry.reason or "")
