"""Writes what was read of a running attempt (scalars, progress, size of the log) to its run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Session, col

from traindeck.db.tables import Run, ScalarSummary

MAX_LISTED_METRICS = 32
"""Scalars that a row of the list carries."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What is new of an attempt: summaries by tag (columns of ScalarSummary), and columns of Run."""

    run_id: int
    attempt: int
    scalars: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


def record(session: Session, seen: Observation) -> None:
    """Write an observation, unless the run has a newer attempt by now, or is deleted."""
    run = session.get(Run, seen.run_id, populate_existing=True)
    if run is None or run.attempt != seen.attempt:
        return
    columns = dict(seen.columns)
    if seen.scalars:
        _write_scalars(session, seen)
        columns["metrics"] = _listed({**run.metrics, **_as_metrics(seen.scalars)})
    if columns:
        session.execute(update(Run).where(col(Run.id) == seen.run_id).values(**columns))


def _write_scalars(session: Session, seen: Observation) -> None:
    statement = insert(ScalarSummary)
    changed = {name: statement.excluded[name] for name in ("last", "min", "max", "step", "count")}
    statement = statement.on_conflict_do_update(index_elements=["run_id", "tag"], set_=changed)
    session.execute(statement, [{"run_id": seen.run_id, "tag": tag, **row} for tag, row in seen.scalars.items()])


def _as_metrics(scalars: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {tag: {key: row[key] for key in ("last", "min", "max", "step")} for tag, row in scalars.items()}


def _listed(metrics: dict[str, Any]) -> dict[str, Any]:
    return dict(list(metrics.items())[:MAX_LISTED_METRICS])
