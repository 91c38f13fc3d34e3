"""Read runs from the database for the API and the pages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from traindeck.db.tables import LARGEST_INTEGER, MetricDirection, Run, RunEvent, RunTag, ScalarSummary, StatusCount
from traindeck.errors import RunNotFound
from traindeck.runner.program import Program
from traindeck.runs.directions import Better
from traindeck.runs.filters import parse_filter, status_condition
from traindeck.runs.matching import Selection
from traindeck.runs.queue import Capacity, queue_positions, waiting_reason
from traindeck.runs.rows import MAX_LISTED_METRICS
from traindeck.runs.sorting import Pager, parse_cursor, parse_sort
from traindeck.runs.status import Status
from traindeck.runs.view import (
    HistoryEntry,
    MetricView,
    Resources,
    RunPage,
    RunView,
    progress_view,
)

MAX_METRICS = 5000
"""The most scalars in the answer for one run; rows of the list have fewer."""


@dataclass(frozen=True, slots=True)
class RunsQuery:
    """A query of the list: filter (`filters.py`), order (`sorting.py`), end of the last page, and a status."""

    q: str = ""
    sort: str = "-created"
    limit: int = 50
    cursor: str | None = None
    status: Status | None = None


def find_run(session: Session, run_id: int) -> Run:
    """Return the row of a run.

    Raises:
        RunNotFound: there is none.
    """
    run = session.get(Run, run_id) if 0 < run_id <= LARGEST_INTEGER else None
    if run is None:
        raise RunNotFound(run_id)
    return run


def show_run(session: Session, run_id: int, capacity: Capacity) -> RunView:
    """Return one run with all of its scalars (the first 5,000 by tag)."""
    run = find_run(session, run_id)
    row = ScalarSummary
    # Columns, because objects of thousands of scalars take several times as long.
    summaries = session.execute(
        select(col(row.tag), col(row.last), col(row.min), col(row.max), col(row.step))
        .where(col(row.run_id) == run_id)
        .order_by(col(row.tag))
        .limit(MAX_METRICS)
    )
    metrics = {tag: MetricView(last=last, min=least, max=most, step=step) for tag, last, least, most, step in summaries}
    return _views(session, [run], capacity)[0].model_copy(update={"metrics": metrics})


def show_runs(session: Session, run_ids: Sequence[int], capacity: Capacity) -> dict[int, RunView]:
    """Return runs by number, as rows of the list; numbers without a run are left out."""
    runs = list(session.execute(select(Run).where(col(Run.id).in_(run_ids))).scalars())
    return {view.id: view for view in _views(session, runs, capacity)}


def list_runs(session: Session, query: RunsQuery, capacity: Capacity) -> RunPage:
    """Return one page of runs.

    Raises:
        InvalidRequest: the filter, the order or the cursor is invalid.
    """
    parsed, order = parse_filter(query.q), parse_sort(query.sort)
    cursor = parse_cursor(query.cursor, order) if query.cursor else None
    conditions = parsed.conditions(session)
    if query.status is not None:
        conditions.append(status_condition(query.status))
    selection = Selection(session, conditions)
    found = Pager(selection, order, query.limit + 1).page(cursor)
    shown = found[: query.limit]
    total, total_exact = selection.total()
    total = max(total, len(found))
    return RunPage(
        items=_views(session, _runs(session, [key.run_id for key in shown]), capacity),
        next_cursor=shown[-1].encode() if len(found) > query.limit else None,
        total=total,
        total_exact=total_exact,
    )


def newest_matching(session: Session, q: str, limit: int) -> tuple[list[Run], int, bool]:
    """Return the newest runs that match a filter, how many match, and whether that count is exact.

    Raises:
        InvalidRequest: the filter is invalid.
    """
    selection = Selection(session, parse_filter(q).conditions(session))
    found = Pager(selection, parse_sort("-created"), limit).page(None)
    return _runs(session, [key.run_id for key in found]), *selection.total()


def run_history(session: Session, run_id: int) -> list[HistoryEntry]:
    """Return every change of the run's status, oldest first."""
    rows = session.execute(select(RunEvent).where(col(RunEvent.run_id) == run_id).order_by(col(RunEvent.id)))
    return [HistoryEntry.model_validate(row, from_attributes=True) for row in rows.scalars()]


def count_by_status(session: Session) -> dict[Status, int]:
    """Return the number of runs of each status, 0 included."""
    rows = session.execute(select(col(StatusCount.status), col(StatusCount.runs)))
    counted = {Status(status): count for status, count in rows}
    return {status: counted.get(status, 0) for status in Status}


def _runs(session: Session, run_ids: list[int]) -> list[Run]:
    """Return runs in the order of the numbers given."""
    found = {run.id: run for run in session.execute(select(Run).where(col(Run.id).in_(run_ids))).scalars()}
    return [found[run_id] for run_id in run_ids]


def _views(session: Session, runs: Sequence[Run], capacity: Capacity) -> list[RunView]:
    tags = _tags(session, [run.id or 0 for run in runs])
    waiting = [run.id or 0 for run in runs if run.status == Status.QUEUED]
    positions = queue_positions(session, waiting) if waiting else {}
    views = [_view(run, tags[run.id or 0], positions.get(run.id or 0), capacity) for run in runs]
    _add_directed(session, [view for view in views if len(view.metrics) >= MAX_LISTED_METRICS])
    return views


def _add_directed(session: Session, views: list[RunView]) -> None:
    """Add scalars with a direction that the user has set to full rows of the list."""
    tags = [tag for tag, better in read_directions(session).items() if better is not Better.NEITHER] if views else []
    if not tags:
        return
    shown = {view.id: view for view in views}
    row = ScalarSummary
    chosen = col(row.tag).in_(tags[:MAX_LISTED_METRICS]) & col(row.run_id).in_(shown)
    for found in session.execute(select(row).where(chosen)).scalars():
        metric = MetricView(last=found.last, min=found.min, max=found.max, step=found.step)
        shown[found.run_id].metrics[found.tag] = metric


def _tags(session: Session, run_ids: list[int]) -> dict[int, list[str]]:
    tags: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(col(RunTag.run_id), col(RunTag.tag)).where(col(RunTag.run_id).in_(run_ids)).order_by(col(RunTag.tag))
    )
    for run_id, tag in rows:
        tags[run_id].append(tag)
    return tags


def _view(run: Run, tags: list[str], position: int | None, capacity: Capacity) -> RunView:
    status, run_id = Status(run.status), run.id or 0
    queued = status is Status.QUEUED
    script = Program.from_json(run.script) if run.script else None
    return RunView(
        id=run_id,
        name=run.name,
        status=status,
        status_reason=run.status_reason,
        trainer=run.trainer,
        script=script,
        params=run.params,
        tags=tags,
        notes=run.notes,
        priority=run.priority,
        resources=Resources(cpus=run.cpus, gpus=run.gpus),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        attempt=run.attempt,
        exit_code=run.exit_code,
        start="cold" if script and script.starts_cold else "warm",
        max_retries=run.max_retries,
        not_before=run.not_before if queued else None,
        rerun_of=run.rerun_of,
        code_digest=run.code_digest,
        progress=progress_view(run.progress),
        metrics={tag: MetricView.model_validate(metric) for tag, metric in run.metrics.items()},
        queue_position=position if queued else None,
        waiting_for=waiting_reason(run, capacity, position) if queued else None,
        log_size=run.log_size,
        links=run_links(run_id),
    )


def run_links(run_id: int) -> dict[str, str]:
    """Return the paths of a run's resources."""
    base = f"/runs/{run_id}"
    parts = ("log", "scalars", "files", "code", "record", "cancel", "retry", "resume", "rerun")
    return {"self": base, **{part: f"{base}/{part}" for part in parts}, "tensorboard": f"{base}/tensorboard/"}


def read_directions(session: Session) -> dict[str, Better]:
    """Return which values of scalars are better, as set by the user, by tag."""
    return {row.tag: Better(row.better) for row in session.execute(select(MetricDirection)).scalars()}
