"""The page of one run."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from traindeck.pages.frontend import render
from traindeck.pages.metrics import NOTHING, Directions, last_step, main_tags
from traindeck.pages.numbers import show_count, show_setting
from traindeck.pages.run_summary import (
    Actions,
    Badge,
    Duration,
    ProgressBar,
    Setting,
    actions,
    backs_off_until,
    badge,
    command_line,
    duration,
    program_name,
    progress_bar,
    stamp,
    waits_for,
)
from traindeck.pages.shell import DeckState, Shell
from traindeck.runs.status import Status
from traindeck.runs.view import HistoryEntry, RunView

IN_A_RUN = re.compile(r"/attempt-(\d+)/work/(.+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history, newest last."""

    at: str
    attempt: int
    badge: Badge
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts beside the curves."""

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
class Resume:
    """A checkpoint: `path` in the working folder of its attempt; `url` downloads it, and is "" for a folder.

    `told` is how the program gets the path: an option, an environment variable, or "" for a trainer. `offered` is False
    if a script is not known to read a checkpoint.
    """

    path: str
    url: str
    told: str
    offered: bool


@dataclass(frozen=True, slots=True)
class RunPageContext:
    """One run. `reason` is complete; `main_tags` is a JSON list of the scalars to draw first.

    `command` is the script's command for a shell, or "". `resume` has the checkpoint to continue from, if there is one.
    """

    shell: Shell
    id: int
    name: str
    url: str
    badge: Badge
    program: str
    program_title: str
    rerun_of: int | None
    bar: ProgressBar
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
    """Render one run as a page, or with `fragment` only its live parts.

    Args:
        attempts: Their numbers.
        checkpoint: The path from which a resumed attempt would continue.
        told: How a script gets that path; None if it is not known to read one.
        opens_board: False if another site has chosen this address; the page then opens no TensorBoard without a click.
        said: The user's choices of which way scalars are better.
        problems: What the curves lack, or what was corrected in them.
        unreadable: Folders with event files of the run that the server cannot read.
    """
    checkpoint_shown = resume(run, checkpoint, told)
    context = RunPageContext(
        shell=Shell(title=_title(run), section="runs", deck=deck, events=f"/events?run={run.id}"),
        id=run.id,
        name=run.name,
        url=f"/runs/{run.id}",
        badge=badge(run.status),
        program=program_name(run),
        program_title=trainer_title or program_name(run),
        rerun_of=run.rerun_of,
        bar=progress_bar(run),
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
        actions=actions(run, resumable=checkpoint_shown is not None and checkpoint_shown.offered),
        resume=checkpoint_shown,
        final=run.status.is_final,
        log_size=run.log_size,
        main_tags=json.dumps(main_tags(run.metrics, said=said)),
        tag_count=len(run.metrics),
        scalar_steps=last_step(run.metrics) or 0,
        opens_board=opens_board,
        problems=problems,
        unread_logs=_unread_logs(unreadable),
    )
    return render("run/fragment.html" if fragment else "run/page.html", context)


def _unread_logs(folders: Sequence[str]) -> str:
    if not folders:
        return ""
    return (
        f"This run wrote event files to {' and '.join(folders)}, which the server cannot read. "
        "Copy that folder to this machine, then run: traindeck import FOLDER"
    )


def _title(run: RunView) -> str:
    percent = progress_bar(run).percent
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


def resume(run: RunView, checkpoint: str | None, told: str | None) -> Resume | None:
    """Return the checkpoint from which `run` would continue. None before its end, or if it has none."""
    found = IN_A_RUN.search(checkpoint or "")
    if found is None or not run.status.is_final:
        return None
    attempt, path = found.groups()
    older = "" if int(attempt) == run.attempt else f"?attempt={attempt}"
    # Hugging Face's Trainer continues from a whole folder, which cannot be downloaded from one address.
    url = f"/runs/{run.id}/files/{quote(path)}{older}" if PurePosixPath(path).suffix else ""
    way = "" if run.script is None else run.script.resume_arg or told
    return Resume(path, url, way or "", way is not None)
