"""Find the runs that match a filter, and count them.

If one condition has few runs, these are looked up in the other conditions. Otherwise `sorting.Pager` walks the index of
the order, and looks up its runs here. If that does not fill the page soon, for example because conditions exclude each
other, the whole sets are intersected. Only this last way takes longer with more runs: some milliseconds for 100,000.

Whole sets stay in memory between requests (`db/answers.py`). A set is an integer with one bit for each run: 12 kB for
100,000 runs, and two are intersected within microseconds. For a compared column, its runs are kept in order, in blocks.
A range of the column consists of whole blocks and of runs in the blocks at its ends. The latter are looked up in the
database, and so are runs that changed since the set was read.
"""

from array import array
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from sqlalchemy import func, select
from sqlmodel import Session, col

from traindeck.db.answers import Reader
from traindeck.db.engine import MEMORY
from traindeck.db.tables import Run, StatusCount
from traindeck.runs.conditions import (
    RUN_ID,
    Condition,
    Either,
    Ids,
    Indexed,
    Without,
    fetch_list,
    merge_ranges,
    order_by_selectivity,
)
from traindeck.runs.words import Word

FEW = 4000
"""Up to this many runs are sorted by looking up the key of each."""
LOOKED_UP = 200
"""Up to this many runs are looked up in a condition, instead of in its set in memory."""
COUNTED = 10_000
"""Matching runs are counted up to this number."""
MANY_CONDITIONS = 4
"""The count of a filter with this many conditions or more ends earlier, because each condition costs time."""
FIRST_RANGE = 1 << 14
"""Matches are counted in a range of this many run numbers first; each further range is twice as long."""
MOST_LOOKED_AT = 150_000
"""The count ends after this many run numbers times conditions, which takes about 0.1 s."""

COUNT_ALL = select(func.coalesce(func.sum(col(StatusCount.runs)), 0))

BLOCKS, SMALLEST_BLOCK = 64, 512
"""The most blocks of a column, and the fewest runs in each."""
MOST_READ = 4
"""The most sets that one request reads; each takes about 30 ms for 100,000 runs."""
READ_AHEAD = 1
"""The sets that a request reads for the next one, if it needs more than it may read."""
LARGEST_KEPT = 4_000_000
"""The largest run number with which sets are kept. Their memory depends on it, and not on how many runs there are."""

EVERY_RUN = Indexed(RUN_ID)


@dataclass(frozen=True, slots=True)
class Kept:
    """A set of runs; bit 0 of byte 0 is run 0."""

    bits: bytes
    count: int

    def __len__(self) -> int:
        return self.count

    def __contains__(self, run_id: int) -> bool:
        return run_id >> 3 < len(self.bits) and bool(self.bits[run_id >> 3] >> (run_id & 7) & 1)

    def __iter__(self) -> Iterator[int]:
        for place, byte in enumerate(self.bits):
            if byte:
                yield from (place * 8 + bit for bit in range(8) if byte >> bit & 1)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive runs in the order of a column, with the values of its first run and of the first run after it."""

    bits: int
    size: int
    least: Any
    greatest: Any


@dataclass
class Selection:
    """The runs that match, found as far as a question requires."""

    session: Session
    conditions: Sequence[Condition]
    known: Ids | Kept | None = field(default=None, init=False)
    """All runs that match, once they are found."""

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

    @property
    def is_small(self) -> bool:
        """Return whether all matching runs are known, and few enough to look up each."""
        return self.known is not None and len(self.known) <= FEW

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
        """Return how many runs match, and whether this is exact; otherwise it is a lower bound, to save time."""
        if self.known is not None:
            return len(self.known), True
        if not self.conditions:
            return self.count_all(), True
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

    def count_all(self) -> int:
        """Return the number of all runs of the deck."""
        count: int = self.session.execute(COUNT_ALL).scalar_one()
        return count

    def _count_one(self, condition: Condition) -> tuple[int, bool] | None:
        """Return the total of one condition from its index, or None."""
        if isinstance(condition, Without):
            excluded, exact = self._count_one(condition.excluded) or (0, False)
            return (self.count_all() - excluded, True) if exact else None
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
        # Keeping the order of a column is only worth it for many runs.
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


def _is_counted_soon(condition: Condition) -> bool:
    """Return whether the index alone counts fast enough, as for ranges and words."""
    return isinstance(condition, Word) or _is_range(condition)


def find_kept(session: Session, conditions: Sequence[Condition]) -> Kept | None:
    """Return all runs that match every condition, or None if too many sets would have to be read."""
    reader: Reader | None = session.info.get(MEMORY)
    if reader is None or session.execute(select(func.coalesce(func.max(RUN_ID), 0))).scalar_one() > LARGEST_KEPT:
        return None
    needed = {_key(part) for condition in conditions for part in _parts(condition)}
    if reader.read + sum(reader.recall(key) is None for key in needed) > MOST_READ:
        return None
    found = -1
    for condition in conditions:
        found &= _bits(session, reader, condition)
    return Kept(found.to_bytes((found.bit_length() + 7) // 8, "little"), found.bit_count())


def read_ahead(session: Session, conditions: Sequence[Condition]) -> None:
    """Read some of the sets, so that the next request finds them in memory."""
    reader: Reader | None = session.info.get(MEMORY)
    for condition in conditions:
        if reader is not None and reader.read < READ_AHEAD:
            find_kept(session, [condition])


def _parts(condition: Condition) -> Iterator[Condition]:
    """Return the cached sets of which a condition consists."""
    if isinstance(condition, Either):
        for part in condition.parts:
            yield from _parts(part)
    elif isinstance(condition, Without):
        yield EVERY_RUN
        yield from _parts(condition.excluded)
    else:
        yield condition


def _bits(session: Session, reader: Reader, condition: Condition) -> int:
    if isinstance(condition, Either):
        found = 0
        for part in condition.parts:
            found |= _bits(session, reader, part)
        return found
    if isinstance(condition, Without):
        return _bits(session, reader, EVERY_RUN) & ~_bits(session, reader, condition.excluded)
    key = _key(condition)
    kept: tuple[list[Block], set[int]] | None = reader.recall(key)
    if kept is None:
        kept = _read(session, condition), set()
        reader.keep(key, kept[0], sum(block.size for block in kept[0]))
    blocks, changed = kept
    found = 0
    for block in blocks:
        fits = _fits(condition, block)
        if fits:
            found |= block.bits
        elif fits is None and _is_range(condition):
            found |= _to_bits(condition.within(block.least, block.greatest).all(session))
    return found & ~_to_bits(changed) | _to_bits(condition.among(session, changed)) if changed else found


def _fits(condition: Condition, block: Block) -> bool | None:
    """Return whether all runs of a block match, or none; None if some may match."""
    if not _is_range(condition):
        return True
    if any(one.excludes(block.least, block.greatest) for one in condition.value):
        return False
    return all(one.holds(block.least) and one.holds(block.greatest) for one in condition.value) or None


def _key(condition: Condition) -> Hashable:
    return condition.without_ends().identity if _is_range(condition) else condition.identity


def _read(session: Session, condition: Condition) -> list[Block]:
    if not _is_range(condition):
        ids = array("q", condition.all(session))
        return [Block(_to_bits(ids), len(ids), None, None)]
    runs = array("q", fetch_list(session, condition.without_ends().in_order()))
    if not runs:
        return []
    size = max(SMALLEST_BLOCK, -(-len(runs) // BLOCKS))
    places = [*range(0, len(runs), size), len(runs) - 1]
    values = condition.values(session, [runs[place] for place in places])
    ends = [values[runs[place]] for place in places]
    parts = [runs[place : place + size] for place in places[:-1]]
    return [Block(_to_bits(part), len(part), ends[at], ends[at + 1]) for at, part in enumerate(parts)]


def _to_bits(ids: Iterable[int]) -> int:
    numbers = array("q", ids)
    bits = bytearray((max(numbers) >> 3) + 1 if numbers else 0)
    for run_id in numbers:
        bits[run_id >> 3] |= 1 << (run_id & 7)
    return int.from_bytes(bits, "little")


def _is_range(condition: Condition) -> TypeGuard[Indexed]:
    return isinstance(condition, Indexed) and condition.is_range
