"""The orders of the list of runs, its pages, and the cursor that continues where a page ended.

A page is found by the key of the last row instead of an offset, so that the hundredth page costs as much as the first.
The numbers of a parameter come before its texts. Runs without a value (no such metric, not finished) come last, newest
first, in either direction.
"""

import base64
import binascii
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Select, bindparam, exists, func, null, or_, select, tuple_
from sqlmodel import col

from traindeck.db.tables import LARGEST_INTEGER, Parameter, Run, ScalarSummary
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.conditions import ABOVE, BELOW, ColumnComparison, Ids, Indexed, fetch_list, listed, unindexed
from traindeck.runs.filters import split_metric
from traindeck.runs.matching import Selection
from traindeck.wording import nearest

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

FIRST_WALK, FURTHER_WALK, LONGEST_WALK = 256, 4, 1000
"""Rows in the first walk through the index of the order, the factor to the next walk, and the rows before it stops."""
FIRST_READ = 1 << 14
"""Runs that are read in order at first, to find those of a large known set."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A key to sort by.

    Attributes:
        columns: Each is for the runs without a value in the columns before it.
        table: The table of the columns, if it is not that of the runs.
        having: Conditions that select the rows of that table.
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
    """The key of the last row of a page. `stage` is the index of the column with its value, or their number if none."""

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
            [FieldError("cursor", "this is not a cursor of this list: take it from next_cursor of the page before")]
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
    value.encode()  # Raises for half a surrogate pair, which cannot be compared with text in the database.
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


@dataclass
class Pager:
    """Finds one page of the matching runs in an order. The cost depends on the page, not on the number of runs."""

    selection: Selection
    order: SortOrder
    limit: int

    def page(self, cursor: Cursor | None) -> list[Cursor]:
        """Return the keys of at most `limit` runs after `cursor`."""
        found = None if self.selection.is_small else self._walked(cursor)
        return self._of_known(cursor) if found is None else found

    def _walked(self, cursor: Cursor | None) -> list[Cursor] | None:
        """Return the page by walking the order's index; None if that takes too long."""
        found: list[Cursor] = []
        walked, size = 0, FIRST_WALK if self.selection.conditions else self.limit
        for stage in self._stages(cursor):
            at = cursor if cursor is not None and cursor.stage == stage else None
            while True:
                if walked > LONGEST_WALK and self.selection.conditions:
                    return None
                passed = self._rows(stage, at, size)
                matching = self.selection.among([run_id for run_id, _ in passed])
                found += [Cursor(stage, value, run_id) for run_id, value in passed if run_id in matching]
                if len(found) >= self.limit:
                    return found[: self.limit]
                walked += len(passed)
                if len(passed) < size:
                    break
                at, size = Cursor(stage, passed[-1][1], passed[-1][0]), size * FURTHER_WALK
        return found

    def _of_known(self, cursor: Cursor | None) -> list[Cursor]:
        known = self.selection.find_all()
        found: list[Cursor] = []
        for stage in self._stages(cursor):
            at = cursor if cursor is not None and cursor.stage == stage else None
            ids: Iterable[int] = (
                known if self.selection.is_small else self._next_in_order(stage, at, self.limit - len(found))
            )
            if ids:
                rows = self._rows(stage, at, self.limit - len(found), ids)
                found += [Cursor(stage, value, run_id) for run_id, value in rows]
            if len(found) == self.limit:
                break
        return found

    def _next_in_order(self, stage: int, cursor: Cursor | None, count: int) -> Ids:
        """Return the next matching runs of the whole order."""
        known, chosen = self.selection.find_all(), list[int]()
        passed, size = 0, FIRST_READ
        while len(chosen) < count:
            page = self._page(stage, cursor, size).offset(passed)
            in_order = fetch_list(self.selection.session, page)
            chosen += [run_id for run_id in in_order if run_id in known]
            if len(in_order) < size:
                break
            passed, size = passed + size, size * 2
        return set(chosen[:count])

    def _stages(self, cursor: Cursor | None) -> range:
        """Return the columns of the order from the cursor's on; the last stage has the runs without a value."""
        first = cursor.stage if cursor else 0
        if self._filtered is not None:
            # Each matching run has a value in this column, but may have one in an earlier column, too.
            return range(first, self._filtered[0] + 1)
        return range(first, len(self.order.columns) + (0 if self.order.has_every_run else 1))

    @cached_property
    def _filtered(self) -> tuple[int, tuple[ColumnComparison, ...]] | None:
        """Return the stage whose column the filter has a range on, and the ends of the range."""
        for stage, column in enumerate(self.order.columns):
            valued = Indexed(self.order.run_id, self.order.having, (ColumnComparison(column, "is not"),))
            for one in self.selection.conditions:
                if isinstance(one, Indexed) and one.is_range and one.without_ends().identity == valued.identity:
                    return stage, one.value
        return None

    def _rows(self, stage: int, cursor: Cursor | None, limit: int, ids: Iterable[int] | None = None) -> Sequence[Any]:
        """Return run numbers with their values."""
        if stage == len(self.order.columns) and ids is None and self._each_has_a_value():
            return []
        return self.selection.session.execute(self._page(stage, cursor, limit, ids)).all()

    def _page(self, stage: int, cursor: Cursor | None, limit: int, ids: Iterable[int] | None = None) -> Select[Any]:
        among = None if ids is None else listed(ids)
        if stage == len(self.order.columns):
            return valueless_page(self.order, cursor, limit, among)
        page = valued_page(self.order, stage, cursor, limit, among)
        if among is not None or self._filtered is None or self._filtered[0] != stage:
            return page
        # A cursor is in the range. With its first end beside it, SQLite would begin there.
        later = (ABOVE if self.order.descending else BELOW) if cursor is not None and cursor.stage == stage else None
        ends = [one for one in self._filtered[1] if later is None or one.op in later]
        return page.where(*(one.of(one.column) for one in ends))

    def _each_has_a_value(self) -> bool:
        """Return whether no run lacks a value, by counting: a search for one without a value would read all runs."""
        if self.order.table is None:
            return False
        valued = self.selection.session.execute(count_valued(self.order)).scalar_one()
        return bool(valued == self.selection.count_all())
