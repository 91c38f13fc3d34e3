"""Write the rows by which runs are listed, sorted and filtered: their parameters, and what is observed of them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from heapq import nsmallest
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlmodel import Session, col

from traindeck.db.tables import Parameter, Run, ScalarSummary
from traindeck.runs.directions import worth

MAX_LISTED_METRICS = 32
"""The most scalars that a row of the list contains: those that say best how good the run is."""
MAX_TEXT_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Observation:
    """New facts about an attempt: summaries by tag (columns of ScalarSummary), and columns of Run.

    A summary with a count of 0 means that a restarted writer has withdrawn the series.
    """

    run_id: int
    attempt: int
    scalars: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


def write_observation(session: Session, seen: Observation) -> None:
    """Write an observation, unless the run has a newer attempt or was deleted."""
    run = session.get(Run, seen.run_id, populate_existing=True)
    if run is None or run.attempt != seen.attempt:
        return
    columns = dict(seen.columns)
    if seen.scalars:
        scalars = _over_attempts(session, seen) if run.resume else seen.scalars
        _write_scalars(session, seen.run_id, scalars)
        columns["metrics"] = _listed(run.metrics, scalars)
    if columns:
        session.execute(update(Run).where(col(Run.id) == seen.run_id).values(**columns))


def _over_attempts(session: Session, seen: Observation) -> dict[str, dict[str, Any]]:
    """Return the summaries of a resumed run, with minimum and maximum over all of its attempts."""
    before = select(ScalarSummary).where(col(ScalarSummary.run_id) == seen.run_id)
    known = {row.tag: row for row in session.execute(before).scalars()}
    return {tag: {**row, **_extremes(row, known.get(tag))} for tag, row in seen.scalars.items()}


def _extremes(row: Mapping[str, Any], before: ScalarSummary | None) -> dict[str, Any]:
    if before is None:
        return {}
    least = [value for value in (row["min"], before.min) if value is not None]
    greatest = [value for value in (row["max"], before.max) if value is not None]
    return {"min": min(least, default=None), "max": max(greatest, default=None)}


def _write_scalars(session: Session, run_id: int, scalars: Mapping[str, Mapping[str, Any]]) -> None:
    withdrawn = [tag for tag, row in scalars.items() if not row["count"]]
    if withdrawn:
        same = (col(ScalarSummary.run_id) == run_id, col(ScalarSummary.tag).in_(withdrawn))
        session.execute(delete(ScalarSummary).where(*same))
    rows = [{"run_id": run_id, "tag": tag, **row} for tag, row in scalars.items() if row["count"]]
    if rows:
        session.execute(_upsert(), rows)


@cache
def _upsert() -> sqlite.Insert:
    # Cached, because building the statement costs more than running it.
    statement = sqlite.insert(ScalarSummary)
    changed = {name: statement.excluded[name] for name in ("last", "min", "max", "step", "count")}
    return statement.on_conflict_do_update(index_elements=["run_id", "tag"], set_=changed)


def _listed(metrics: Mapping[str, Any], scalars: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    kept = {tag: metric for tag, metric in metrics.items() if scalars.get(tag, {"count": 1})["count"]}
    new = {tag: row for tag, row in scalars.items() if row["count"]}
    tags = {**kept, **new}
    if len(tags) > MAX_LISTED_METRICS:
        # The tags as they are listed already are the order of equals: scalars without a direction do not take turns.
        best = set(nsmallest(MAX_LISTED_METRICS, tags, key=lambda tag: worth(tag, {})[:2]))
        tags = {tag: tags[tag] for tag in tags if tag in best}
    return {tag: {key: row[key] for key in ("last", "min", "max", "step")} for tag, row in tags.items()}


def insert_parameters(session: Session, run_id: int, params: Mapping[str, Any]) -> None:
    """Write the rows of a run's parameters."""
    if rows := parameter_rows(run_id, params):
        # Rows, and not objects, which take several times as long.
        session.execute(insert(Parameter), rows)


def parameter_rows(run_id: int, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each leaf of `params`; nested names are joined by dots ("optimizer.lr")."""
    leaves = dict(_leaves(params))
    return [{"run_id": run_id, "name": name, **_columns(value)} for name, value in leaves.items()]


def _leaves(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _columns(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"number": float(value), "text": str(value).lower()}
    if isinstance(value, int | float):
        return {"number": _float(value), "text": str(value)[:MAX_TEXT_CHARACTERS]}
    return {"number": None, "text": None if value is None else str(value)[:MAX_TEXT_CHARACTERS]}


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
