"""The orders that the list of runs can have, and the cursor that goes on from where a page ended.

A page is found by the key of the last row, not by an offset: the hundredth page costs what the first does. A
parameter's numbers come before its texts. Runs without a value (no such metric, not finished) come last, newest
first, whichever the direction.
"""

import base64
import binascii
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, and_, exists, or_, select
from sqlmodel import col

from traindeck.db.tables import LARGEST_INTEGER, Parameter, Run, ScalarSummary
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.filters import split_metric
from traindeck.unknown import nearest

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
    """A key to sort by: columns, each for the runs without a value in those before it; and, where they lie in
    another table, what joins it to the run.
    """

    columns: tuple[Any, ...]
    descending: bool
    table: Any = None
    join: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The key of the last row of a page. `stage`: which of the columns had its value; beyond them where none had."""

    stage: int
    value: Any
    run_id: int

    def encode(self) -> str:
        """As an opaque text that stands in a URL."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        content = json.dumps([self.stage, value, self.run_id]).encode()
        return base64.urlsafe_b64encode(content).decode().rstrip("=")


def parse_sort(sort: str) -> Order:
    """The order named "created", "-params.lr", "metrics.Loss/train.min"; a leading "-" turns it round.

    Raises:
        InvalidRequest: there is no such field.
    """
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    name = ALIASES.get(name, name)
    if name in SORT_COLUMNS:
        return Order((col(SORT_COLUMNS[name]),), descending)
    if name.startswith("params.") and name != "params.":
        joined = (col(Parameter.name) == name.removeprefix("params."), col(Parameter.run_id) == col(Run.id))
        return Order((col(Parameter.number), col(Parameter.text)), descending, Parameter, joined)
    if name.startswith("metrics.") and name != "metrics.":
        tag, column = split_metric(name.removeprefix("metrics."))
        joined = (col(ScalarSummary.tag) == tag, col(ScalarSummary.run_id) == col(Run.id))
        return Order((column,), descending, ScalarSummary, joined)
    known = (*SORT_COLUMNS, "created", "params.NAME", "metrics.TAG")
    near = nearest(name, known)
    hint = f"did you mean {near!r}? " if near else ""
    raise InvalidRequest(
        [FieldError("sort", f"runs cannot be sorted by {name!r}; {hint}fields are {', '.join(known)}")]
    )


def parse_cursor(text: str, order: Order) -> Cursor:
    """The cursor that `Cursor.encode` made on a page of the same order.

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        stage, value, run_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        columns = order.columns[_within(stage, len(order.columns)) :]
        return Cursor(stage, _key(value, columns[0]) if columns else None, _within(run_id, LARGEST_INTEGER))
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise InvalidRequest(
            [FieldError("cursor", "this is no cursor of this list: take it from next_cursor of the page before")]
        ) from error


def _key(value: Any, column: Any) -> Any:
    expected = column.type.python_type
    if expected is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without an offset")
        return moment.astimezone(UTC)
    if expected is int:
        return _within(value, LARGEST_INTEGER, -LARGEST_INTEGER)
    if expected is float:
        number = float(value) if type(value) in (int, float) else math.nan
        if math.isnan(number):
            raise ValueError("no number")
        return number
    if not isinstance(value, str):
        raise TypeError("the key of another order")
    value.encode()  # Half a surrogate pair cannot be compared with what is in the database.
    return value


def _within(value: object, most: int, least: int = 0) -> int:
    if type(value) is int and least <= value <= most:
        return value
    raise ValueError("a number out of its bounds")


def valued_page(order: Order, stage: int, cursor: Cursor | None, filters: list[Any], limit: int) -> Select[Any]:
    """The runs that have a value in column `stage` and none in those before it, in order, as (run, value).

    The index on the value gives them without sorting.
    """
    column, tie = order.columns[stage], _tie(order)
    query = select(Run, column)
    if order.table is not None:
        query = query.join(order.table, and_(*order.join))
    query = query.where(column.is_not(None), *(one.is_(None) for one in order.columns[:stage]), *filters)
    if cursor is not None and cursor.stage == stage:
        beyond = column < cursor.value if order.descending else column > cursor.value
        next_id = tie < cursor.run_id if order.descending else tie > cursor.run_id
        query = query.where(or_(beyond, and_(column == cursor.value, next_id)))
    keys = (column.desc(), tie.desc()) if order.descending else (column, tie)
    return query.order_by(*keys).limit(limit)


def valueless_page(order: Order, cursor: Cursor | None, filters: list[Any], limit: int) -> Select[Any]:
    """The runs without a value, newest first."""
    query = select(Run)
    if order.table is None:
        query = query.where(*(column.is_(None) for column in order.columns))
    else:
        has_any = or_(*(column.is_not(None) for column in order.columns))
        valued = exists().where(*order.join, has_any).correlate(Run)
        query = query.where(~valued)
    query = query.where(*filters)
    if cursor is not None and cursor.stage == len(order.columns):
        query = query.where(col(Run.id) < cursor.run_id)
    return query.order_by(col(Run.id).desc()).limit(limit)


def _tie(order: Order) -> Any:
    return col(Run.id) if order.table is None else col(order.table.run_id)
