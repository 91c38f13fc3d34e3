"""The orders of the list of runs, and the cursor that continues where a page ended.

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
from typing import Any, cast

from sqlalchemy import Select, bindparam, exists, func, null, or_, select, tuple_
from sqlmodel import col

from traindeck.db.tables import LARGEST_INTEGER, Parameter, Run, ScalarSummary
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.conditions import unindexed
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
class SortOrder:
    """A key to sort by: columns, each for the runs without a value in those before it; and, where they lie in
    another table, that table, and which of its rows they are in.
    """

    columns: tuple[Any, ...]
    descending: bool
    table: Any = None
    having: tuple[Any, ...] = ()

    @property
    def run_id(self) -> Any:
        """Return the column with the run's number."""
        return col(Run.id) if self.table is None else col(self.table.run_id)

    @property
    def has_every_run(self) -> bool:
        """Return whether every run has a value."""
        return self.columns[0] is col(Run.id)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The key of the last row of a page. `stage`: which of the columns had its value; beyond them where none had."""

    stage: int
    value: Any
    run_id: int

    def encode(self) -> str:
        """Return the cursor as opaque text for a URL."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        content = json.dumps([self.stage, value, self.run_id]).encode()
        return base64.urlsafe_b64encode(content).decode().rstrip("=")


def parse_sort(sort: str) -> SortOrder:
    """Parse an order such as "created", "-params.lr" or "metrics.Loss/train.min"; a leading "-" reverses it.

    Raises:
        InvalidRequest: there is no such field.
    """
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    name = ALIASES.get(name, name)
    if name in SORT_COLUMNS:
        return SortOrder((col(SORT_COLUMNS[name]),), descending)
    if name.startswith("params.") and name != "params.":
        named = (col(Parameter.name) == name.removeprefix("params."),)
        return SortOrder((col(Parameter.number), col(Parameter.text)), descending, Parameter, named)
    if name.startswith("metrics.") and name != "metrics.":
        tag, column = split_metric(name.removeprefix("metrics."))
        return SortOrder((column,), descending, ScalarSummary, (col(ScalarSummary.tag) == tag,))
    known = (*SORT_COLUMNS, "created", "params.NAME", "metrics.TAG")
    near = nearest(name, known)
    hint = f"did you mean {near!r}? " if near else ""
    raise InvalidRequest(
        [FieldError("sort", f"runs cannot be sorted by {name!r}; {hint}fields are {', '.join(known)}")]
    )


def parse_cursor(text: str, order: SortOrder) -> Cursor:
    """Parse a cursor that `Cursor.encode` made on a page of the same order.

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


def valued_page(order: SortOrder, stage: int, cursor: Cursor | None, limit: int, among: Any = None) -> Select[Any]:
    """Return the runs with a value in column `stage` and none in the columns before, in order, as (number, value).

    The index on the value returns them in order. With `among`, a subquery of numbers, each is looked up, and they are
    sorted.
    """
    tie, column = order.run_id, order.columns[stage]
    keys = (column, tie) if among is None else (unindexed(column), tie)
    query = select(tie, column).where(
        *order.having, keys[0].is_not(None), *(one.is_(None) for one in order.columns[:stage])
    )
    if among is not None:
        query = query.where(tie.in_(among))
    if cursor is not None and cursor.stage == stage:
        last = tuple_(bindparam(None, cursor.value, column.type), cursor.run_id)
        query = query.where(tuple_(*keys) < last if order.descending else tuple_(*keys) > last)
    return query.order_by(*(key.desc() if order.descending else key for key in keys)).limit(limit)


def valueless_page(order: SortOrder, cursor: Cursor | None, limit: int, among: Any = None) -> Select[Any]:
    """Return the runs without a value, newest first, as (number, null)."""
    query = select(cast("Any", Run.id), null())
    if order.table is None:
        query = query.where(*(column.is_(None) for column in order.columns))
    else:
        valued = exists().where(order.run_id == col(Run.id), *order.having, _has_value(order)).correlate(Run)
        query = query.where(~valued)
    if among is not None:
        query = query.where(col(Run.id).in_(among))
    if cursor is not None and cursor.stage == len(order.columns):
        query = query.where(col(Run.id) < cursor.run_id)
    return query.order_by(col(Run.id).desc()).limit(limit)


def count_valued(order: SortOrder) -> Select[Any]:
    """Return how many runs have a value, if the values are in a table of their own."""
    return select(func.count()).select_from(order.table).where(*order.having, _has_value(order))


def _has_value(order: SortOrder) -> Any:
    return or_(*(column.is_not(None) for column in order.columns))
