"""The sets of runs that conditions stand for, kept in memory from one request to the next (`db/memory.py`).

A set is an integer with one bit for each run, by its number: 12 kB for 100,000 runs, and to intersect two takes
microseconds. Of a column that is compared, the order of its runs is kept, in blocks: every range on it is made of
whole blocks, but for those at its ends. These are looked up in the database, as are the runs that have changed since.
"""

from array import array
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import func, select
from sqlmodel import Session

from traindeck.db.answers import Reader
from traindeck.db.engine import MEMORY
from traindeck.runs.conditions import RUN_ID, Condition, Either, Indexed, Without, fetch_list

BLOCKS, SMALLEST_BLOCK = 64, 512
"""Blocks of a column at most, and runs in each at least."""
MOST_READ = 4
"""Sets that one request reads anew; each takes some 30 ms for 100,000 runs."""
READ_AHEAD = 1
"""Sets that are read where a request needs more of them than it may read."""
LARGEST_KEPT = 4_000_000
"""The largest number of a run with which sets are kept: they take memory by it, however few runs there are."""

EVERY_RUN = Indexed(RUN_ID)


@dataclass(frozen=True, slots=True)
class Kept:
    """A set of runs: bit 0 of byte 0 is run 0."""

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
    """Runs that follow each other in the order of a column, with the values of its first and of the next block's."""

    bits: int
    size: int
    least: Any
    greatest: Any


def find_kept(session: Session, conditions: Sequence[Condition]) -> Kept | None:
    """Return all runs that fit every condition; None if too many sets would have to be read."""
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
    """Keep some of the sets, so that the next request with so many finds them."""
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
    """Whether all runs of a block fit, or none; None where some may."""
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
