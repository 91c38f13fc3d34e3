"""Finds the page of runs that a filter and an order ask for, and counts those that match.

What it costs depends on the page, not on how many runs there are. Where few runs fit one of the conditions, these are
looked up in the others and sorted. Where many fit each of them, the order's index is walked, and what it gives is
looked up, until the page is full. Where that does not fill it soon, as the conditions exclude each other, say, the
whole sets are intersected: the one case that takes longer with more runs (some milliseconds for 100,000).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from traindeck.db.tables import Run, StatusCount
from traindeck.runs.conditions import (
    Condition,
    Ids,
    Indexed,
    Without,
    fetch_list,
    listed,
    merge_ranges,
    order_by_selectivity,
)
from traindeck.runs.kept import Kept, find_kept, read_ahead
from traindeck.runs.sorting import Cursor, SortOrder, count_valued, valued_page, valueless_page
from traindeck.runs.words import Word

FEW = 4000
"""Runs that are sorted by looking up the key of each."""
LOOKED_UP = 200
"""Runs that are looked up in a condition rather than in the set of it that is kept in memory."""
FIRST_WALK, FURTHER_WALK, LONGEST_WALK = 256, 4, 1000
"""Steps through the order's index at first, how much longer each further walk is, and steps after which it is left."""
COUNTED = 10_000
"""Matching runs that are counted; of more it is only known that there are more."""
MANY_CONDITIONS = 4
"""For each so many conditions beyond the first, the count ends that much earlier: each of them costs the same."""
FIRST_RANGE = 1 << 14
"""Numbers of runs in which matches are counted at first; each further range is twice as long."""
MOST_LOOKED_AT = 150_000
"""Numbers of runs, once for each condition, after which the count ends: to look at more takes longer than 0.1 s."""

COUNT_ALL = select(func.coalesce(func.sum(col(StatusCount.runs)), 0))


@dataclass
class Selection:
    """The runs that match; which these are is found out as far as a question needs it."""

    session: Session
    conditions: Sequence[Condition]
    known: Ids | Kept | None = field(default=None, init=False)
    """All runs that match, where they have been found."""

    def __post_init__(self) -> None:
        if not self.conditions:
            return
        ordered = order_by_selectivity(self.session, merge_ranges(self.conditions), FEW + 1)
        self.conditions = [condition for _, condition in ordered]
        if ordered[0][0] <= FEW:
            self.find_all()
        elif len(self.conditions) > 1 or not _is_counted_soon(self.conditions[0]):
            self.known = self._recall(*self.conditions)
            if self.known is None:
                read_ahead(self.session, self.conditions)

    def find_all(self) -> Ids | Kept:
        """Return all runs that match."""
        if self.known is None:
            first, *others = self.conditions
            known = self._all(first)
            for condition in others:
                if not known:
                    break
                known = self._both(known, condition)
            self.known = known
        return self.known

    def among(self, ids: Sequence[int]) -> Ids:
        """Return those of `ids` that match."""
        if self.known is not None:
            return {run_id for run_id in ids if run_id in self.known}
        matching = set(ids)
        for condition in self.conditions:
            if matching:
                matching = condition.among(self.session, matching)
        return matching

    def total(self) -> tuple[int, bool]:
        """Return how many runs match, and whether that is exact or a lower bound because counting would take long."""
        if self.known is not None:
            return len(self.known), True
        if not self.conditions:
            return self.session.execute(COUNT_ALL).scalar_one(), True
        if len(self.conditions) == 1 and (counted := self._count_one(self.conditions[0])) is not None:
            return counted
        share = max(1, len(self.conditions) // MANY_CONDITIONS)
        most, size = COUNTED // share, FIRST_RANGE // share
        total, looked_at, last = 0, 0, self._newest()
        while last > 0:
            above = max(0, last - size)
            total += len(self._between(above, last))
            looked_at += size * len(self.conditions)
            if above and (total >= most or looked_at >= MOST_LOOKED_AT):
                return min(total, most), False
            last, size = above, size * 2
        return total, True

    def _count_one(self, condition: Condition) -> tuple[int, bool] | None:
        """Return the total of one condition from its index, or None."""
        if isinstance(condition, Without):
            excluded, exact = self._count_one(condition.excluded) or (0, False)
            return (self.session.execute(COUNT_ALL).scalar_one() - excluded, True) if exact else None
        if isinstance(condition, Indexed) and condition.count is not None:
            return self.session.execute(select(condition.count)).scalar_one(), True
        is_counted = isinstance(condition, Indexed) or (isinstance(condition, Word) and condition.is_counted)
        counted = condition.counted(COUNTED + 1) if is_counted else None
        if counted is None:
            return None
        count = self.session.execute(select(counted)).scalar_one()
        return min(count, COUNTED), count <= COUNTED

    def _recall(self, *conditions: Condition) -> Ids | Kept | None:
        kept = find_kept(self.session, conditions)
        return set(kept) if kept is not None and len(kept) <= FEW else kept

    def _all(self, condition: Condition) -> Ids:
        # To keep the order of a column is worth it for many runs only.
        kept = None if _is_range(condition) else self._recall(condition)
        return condition.all(self.session) if kept is None else set(kept)

    def _both(self, known: Ids, condition: Condition) -> Ids:
        if len(known) <= LOOKED_UP:
            return condition.among(self.session, known)
        kept = self._recall(condition)
        if kept is not None:
            return {run_id for run_id in known if run_id in kept}
        few = len(known) <= FEW
        return condition.among(self.session, known) if few else known & condition.all(self.session)

    def _between(self, above: int, last: int) -> Ids:
        first, *others = self.conditions
        matching = first.between(self.session, above, last)
        for condition in others:
            if len(matching) <= FEW:
                matching = condition.among(self.session, matching) if matching else matching
            else:
                matching &= condition.between(self.session, above, last)
        return matching

    def _newest(self) -> int:
        newest: int = self.session.execute(select(func.coalesce(func.max(col(Run.id)), 0))).scalar_one()
        return newest


@dataclass
class Pager:
    """Turns to one page of the runs that match, in an order."""

    selection: Selection
    order: SortOrder
    limit: int

    def page(self, cursor: Cursor | None) -> list[Cursor]:
        """Return the keys of at most `limit` runs after `cursor`."""
        known = self.selection.known
        found = self._walked(cursor) if known is None or len(known) > FEW else None
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
                at, size = Cursor(stage, passed[-1][1], passed[-1][0]), min(size * FURTHER_WALK, FEW)
        return found

    def _of_known(self, cursor: Cursor | None) -> list[Cursor]:
        known = self.selection.find_all()
        found: list[Cursor] = []
        for stage in self._stages(cursor):
            at = cursor if cursor is not None and cursor.stage == stage else None
            few = isinstance(known, set) and len(known) <= FEW
            ids = known if few else self._next_in_order(stage, at, self.limit - len(found))
            if ids:
                rows = self._rows(stage, at, self.limit - len(found), ids)
                found += [Cursor(stage, value, run_id) for run_id, value in rows]
            if len(found) == self.limit:
                break
        return found

    def _next_in_order(self, stage: int, cursor: Cursor | None, count: int) -> Ids:
        """Return the next matching runs of the whole order."""
        known, chosen = self.selection.find_all(), list[int]()
        passed, size = 0, FIRST_RANGE
        while len(chosen) < count:
            page = self._page(stage, cursor, size).offset(passed)
            in_order = fetch_list(self.selection.session, page)
            chosen += [run_id for run_id in in_order if run_id in known]
            if len(in_order) < size:
                break
            passed, size = passed + size, size * 2
        return set(chosen[:count])

    def _stages(self, cursor: Cursor | None) -> range:
        """Yield the columns of the order from the cursor's on; the last stage has the runs without a value."""
        stages = len(self.order.columns) + (0 if self.order.has_every_run else 1)
        return range(cursor.stage if cursor else 0, stages)

    def _rows(self, stage: int, cursor: Cursor | None, limit: int, ids: Iterable[int] | None = None) -> Sequence[Any]:
        """Return numbers of runs with their values."""
        if stage == len(self.order.columns) and ids is None and self._each_has_a_value():
            return []
        return self.selection.session.execute(self._page(stage, cursor, limit, ids)).all()

    def _page(self, stage: int, cursor: Cursor | None, limit: int, ids: Iterable[int] | None = None) -> Select[Any]:
        among = None if ids is None else listed(ids)
        if stage == len(self.order.columns):
            return valueless_page(self.order, cursor, limit, among)
        return valued_page(self.order, stage, cursor, limit, among)

    def _each_has_a_value(self) -> bool:
        """Count the runs with a value, as a search for one without would look at all of them."""
        if self.order.table is None:
            return False
        valued = self.selection.session.execute(count_valued(self.order)).scalar_one()
        return bool(valued == self.selection.session.execute(COUNT_ALL).scalar_one())


def _is_range(condition: Condition) -> bool:
    return isinstance(condition, Indexed) and condition.is_range


def _is_counted_soon(condition: Condition) -> bool:
    """Return whether the index alone counts fast enough, as for ranges and words."""
    return isinstance(condition, Word) or _is_range(condition)
