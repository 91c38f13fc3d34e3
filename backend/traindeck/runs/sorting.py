"""The orders that the list of runs can have, and the cursor that goes on from where a page ended.

A page is found by the key of the last row, not by an offset: the hundredth page costs what the first does. Runs
without a value (no such metric, not finished) come last, newest first, whichever the direction.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Select, and_, exists, or_, select
from sqlmodel import col

from traindeck.db.tables import Parameter, Run, ScalarSummary
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.filters import split_metric

SORT_COLUMNS = {
    "id": Run.id,
    "name": Run.name,
    "status": Run.status,
    "trainer": Run.trainer,
    "priority": Run.priority,
    "started": Run.started_at,
    "finished": Run.finished_at,
}
ALIASES = {"created": "id", "created_at": "id", "started_at": "started", "finished_at": "finished"}


@dataclass(frozen=True, slots=True)
class Order:
    """A key to sort by: a column, and where it lies in another table, what joins it to the run."""

    column: Any
    descending: bool
    table: Any = None
    join: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The key of the last row of a page: `valued` is False where that row had no value to sort by."""

    valued: bool
    value: Any
    run_id: int

    def encode(self) -> str:
        """As an opaque text that stands in a URL."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        content = json.dumps([self.valued, value, self.run_id]).encode()
        return base64.urlsafe_b64encode(content).decode().rstrip("=")


def parse_sort(sort: str) -> Order:
    """The order named "created", "-params.lr", "metrics.Loss/train.min"; a leading "-" turns it round.

    Raises:
        InvalidRequest: there is no such field.
    """
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    name = ALIASES.get(name, name)
    if name in SORT_COLUMNS:
        return Order(col(SORT_COLUMNS[name]), descending)
    if name.startswith("params.") and name != "params.":
        joined = (col(Parameter.name) == name.removeprefix("params."), col(Parameter.run_id) == col(Run.id))
        return Order(col(Parameter.number), descending, Parameter, joined)
    if name.startswith("metrics.") and name != "metrics.":
        tag, column = split_metric(name.removeprefix("metrics."))
        joined = (col(ScalarSummary.tag) == tag, col(ScalarSummary.run_id) == col(Run.id))
        return Order(column, descending, ScalarSummary, joined)
    known = (*SORT_COLUMNS, "created", "params.NAME", "metrics.TAG")
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise InvalidRequest(
        [FieldError("sort", f"runs cannot be sorted by {name!r}; {hint}fields are {', '.join(known)}")]
    )


def parse_cursor(text: str, order: Order) -> Cursor:
    """The cursor that `Cursor.encode` made on a page of the same order.

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        valued, value, run_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        expected = order.column.type.python_type
        if value is not None and expected is datetime:
            value = datetime.fromisoformat(value)
        if valued and not isinstance(value, (expected, int) if expected is float else expected):
            raise ValueError("the key of another order")
        return Cursor(bool(valued), value, _row_id(run_id))
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise InvalidRequest(
            [FieldError("cursor", "this is no cursor of this list: take it from next_cursor of the page before")]
        ) from error


def _row_id(value: object) -> int:
    if isinstance(value, int) and 0 <= value < 2**63:
        return value
    raise ValueError("not the number of a run")


def valued_page(order: Order, cursor: Cursor | None, filters: list[Any], limit: int) -> Select[Any]:
    """The runs that have a value, in order, as (run, value); the index on the value gives them without sorting."""
    column, tie = order.column, _tie(order)
    query = select(Run, column)
    if order.table is not None:
        query = query.join(order.table, and_(*order.join))
    query = query.where(column.is_not(None), *filters)
    if cursor is not None:
        beyond = column < cursor.value if order.descending else column > cursor.value
        next_id = tie < cursor.run_id if order.descending else tie > cursor.run_id
        query = query.where(or_(beyond, and_(column == cursor.value, next_id)))
    keys = (column.desc(), tie.desc()) if order.descending else (column, tie)
    return query.order_by(*keys).limit(limit)


def valueless_page(order: Order, cursor: Cursor | None, filters: list[Any], limit: int) -> Select[Any]:
    """The runs without a value, newest first."""
    query = select(Run)
    if order.table is None:
        query = query.where(order.column.is_(None))
    else:
        valued = exists().where(*order.join, order.column.is_not(None)).correlate(Run)
        query = query.where(~valued)
    query = query.where(*filters)
    if cursor is not None and not cursor.valued:
        query = query.where(col(Run.id) < cursor.run_id)
    return query.order_by(col(Run.id).desc()).limit(limit)


def _tie(order: Order) -> Any:
    return col(Run.id) if order.table is None else col(order.table.run_id)
