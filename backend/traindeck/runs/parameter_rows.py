"""Write a run's parameters as rows that can be sorted and filtered by index."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session

from traindeck.db.tables import Parameter

MAX_TEXT_CHARACTERS = 500


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
