# mypy: disallow-untyped-calls=False
"""Keep the samples of a series that TensorBoard keeps.

TensorBoard's reservoir (backend/event_processing/reservoir.py) keeps the first `size` items. Each later item replaces a
random one, or the last one; the random numbers are those of `random.Random(0)`, the same for every tag. So they are
computed once for each number of items, for all tags and boards at a time.
"""

import random
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.backend.event_processing.reservoir import Reservoir
from tensorboard.compat.proto import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.util import tensor_util

from traindeck.events.points import POINT, Points
from traindeck.events.records import Indices

BLOCK = 1 << 16
REMEMBERED = 128
Columns = tuple[list[int], list[float], list[Any]]
"""Steps, wall times and values; of one length."""
Times = tuple[list[int], list[float]]
"""Steps and wall times; of one length."""
KEY = "."
"""What TensorBoard's accumulators call the one bucket of each reservoir."""
ALL = slice(None)
LAST = slice(-1, None)
_EMPTY = np.empty(0, POINT)


class Draws:
    """The random numbers that take an item into a full reservoir of `size` items; safe for threads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.survivors = lru_cache(REMEMBERED)(self._survivors)
        self._source = np.random.MT19937()
        version, state, _ = random.Random(0).getstate()  # noqa: S311
        assert version == 3
        self._source.state = {
            "bit_generator": "MT19937",
            "state": {"key": np.array(state[:-1], np.uint32), "pos": state[-1]},
        }
        self._raw: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._drawn = size
        self._places: Indices = np.empty(0, np.int64)
        self._evicted: Indices = np.empty(0, np.int64)
        self._lock = threading.Lock()

    def _survivors(self, before: int, after: int) -> Indices:
        """Return which items are kept when a reservoir that has seen `before` items sees more, `after` in all.

        They are given as places among those that it held, followed by the new ones.
        """
        held = min(before, self.size)
        kept = list(range(min(held + after - before, self.size)))
        shift = held - before
        full_at = max(before, self.size)
        for place, evicted in self._accepted(full_at, after):
            if place > full_at:
                kept[-1] = place - 1 + shift
            del kept[evicted]
            kept.append(place + shift)
        if after > full_at:
            kept[-1] = after - 1 + shift
        return np.array(kept, np.int64)

    def _accepted(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Return the items from `begin` to `end` that take the place of another than the last, and which they evict."""
        with self._lock:
            while self._drawn < end:
                self._draw(end)
            low, high = np.searchsorted(self._places, (begin, end)).tolist()
            return list(zip(self._places[low:high].tolist(), self._evicted[low:high].tolist(), strict=True))

    def _draw(self, end: int) -> None:
        """Draw for the next items, up to `end`, as long as `Random.randint(0, n)` asks for as many bits.

        It takes that many bits of a word, and the next word where they come to more than n.
        """
        bits = (self._drawn + 1).bit_length()
        wanted = min(end, (1 << bits) - 1, self._drawn + BLOCK) - self._drawn
        if len(self._raw) < 2 * wanted:
            more = self._source.random_raw(2 * wanted).astype(np.uint64)
            self._raw = np.concatenate((self._raw, more))
        numbers = (self._raw >> np.uint64(32 - bits)).astype(np.int64)
        good = _within(numbers, self._drawn)
        chosen = np.flatnonzero(good)[:wanted]
        places, drawn = self._drawn + np.arange(len(chosen)), numbers[chosen]
        taken = drawn < self.size
        self._places = np.concatenate((self._places, places[taken]))
        self._evicted = np.concatenate((self._evicted, drawn[taken]))
        self._raw = self._raw[int(chosen[-1]) + 1 :] if len(chosen) else self._raw[:0]
        self._drawn += len(chosen)


def _within(numbers: Indices, first: int) -> NDArray[np.bool_]:
    """Return which numbers are at most n, where n is `first` and grows by one with each that is."""
    good = numbers <= first
    while True:
        grown = numbers <= first + np.cumsum(good) - good
        if (grown == good).all():
            return grown
        good = grown


@lru_cache(16)
def draws(size: int) -> Draws:
    """Return the random numbers for reservoirs of that size."""
    return Draws(size)


class ScalarEvent:
    """One point as an accumulator keeps it, in a tenth of the memory that TensorBoard's own message of it takes."""

    __slots__ = ("step", "tag", "value", "wall_time")

    def __init__(self, tag: str, step: int, wall_time: float, value: float) -> None:
        self.tag = tag
        self.step = step
        self.wall_time = wall_time
        self.value = value

    @property
    def tensor_proto(self) -> Any:
        """Make the value as TensorBoard's reader would have kept it: a tensor without dimensions."""
        shape = tensor_shape_pb2.TensorShapeProto()  # type: ignore[attr-defined]
        dtype = types_pb2.DT_FLOAT  # type: ignore[attr-defined]
        return tensor_pb2.TensorProto(dtype=dtype, tensor_shape=shape, float_val=[self.value])  # type: ignore[attr-defined]


class ScalarSeries:
    """In place of a `Reservoir` of `size` items, where the items are points of a scalar.

    What is no 32-bit float, and what is left once points were withdrawn from a sample, TensorBoard's own
    reservoir takes over. One thread adds, others read.
    """

    def __init__(self, tag: str, size: int) -> None:
        self._tag = tag
        self._size = size
        self._rows: Points = _EMPTY
        self._seen = 0
        self._other: Reservoir | None = None

    def extend(self, rows: Points) -> None:
        """Offer points, in the order in which they were written."""
        if self._other is not None:
            for row in rows.tolist():
                self._other.AddItem(KEY, ScalarEvent(self._tag, *row))
            return
        before, after = self._seen, self._seen + len(rows)
        joined = np.empty(len(self._rows) + len(rows), POINT)
        joined[: len(self._rows)], joined[len(self._rows) :] = self._rows, rows
        self._rows = joined if after <= self._size else joined[draws(self._size).survivors(before, after)]
        self._seen = after

    def columns(self, chosen: slice = ALL) -> Columns:
        """Return what is kept, or those of it that are `chosen`.

        Raises:
            ValueError: one of them is no single number.
        """
        if self._other is not None:
            return event_columns(self._other.Items(KEY)[chosen])
        rows = self._rows[chosen]
        return rows["step"].tolist(), rows["wall_time"].tolist(), rows["value"].tolist()

    def times(self) -> Times:
        """Return when what is kept was written, whatever it is."""
        if self._other is not None:
            return event_times(self._other.Items(KEY))
        rows = self._rows
        return rows["step"].tolist(), rows["wall_time"].tolist()

    def held_bytes(self) -> int:
        """Return about how much memory it takes."""
        if self._other is None:
            return self._rows.nbytes
        return held_bytes(self._other)

    def AddItem(self, key: str, item: Any) -> None:  # noqa: N802 - TensorBoard's name for it
        """Offer one event as TensorBoard's accumulator makes it."""
        tensor = item.tensor_proto
        is_float = tensor.dtype == types_pb2.DT_FLOAT and not tensor.tensor_shape.dim  # type: ignore[attr-defined]
        if self._other is None and is_float and len(tensor.float_val) == 1:
            self.extend(np.array([(item.step, item.wall_time, tensor.float_val[0])], POINT))
            return
        self._give_over().AddItem(key, item)

    def Items(self, key: str) -> list[Any]:  # noqa: N802 - TensorBoard's name for it
        """Return what is kept, as events."""
        if self._other is not None:
            items: list[Any] = self._other.Items(key)
            return items
        return self._events()

    def FilterItems(self, keep: Callable[[Any], bool], key: str) -> int:  # noqa: N802 - TensorBoard's name for it
        """Drop what `keep` says no to; how many that were."""
        if self._other is None and self._seen <= self._size:
            kept = np.array([keep(event) for event in self._events()], np.bool_)
            removed = int(len(kept) - kept.sum())
            self._rows, self._seen = self._rows[kept], len(kept) - removed
            return removed
        removed_by_theirs: int = self._give_over().FilterItems(keep, key)
        return removed_by_theirs

    def _events(self) -> list[ScalarEvent]:
        return [ScalarEvent(self._tag, *row) for row in self._rows.tolist()]

    def _give_over(self) -> Reservoir:
        """Return TensorBoard's reservoir in the state in which it would be after these points."""
        if self._other is None:
            other = Reservoir(self._size)
            bucket = other._buckets[KEY]
            bucket.items, bucket._num_items_seen = self._events(), self._seen
            for place in range(self._size, self._seen):
                bucket._random.randint(0, place)
            self._other, self._rows = other, _EMPTY
        return self._other


def event_columns(events: list[Any]) -> Columns:
    """Return steps, wall times and values of events.

    Raises:
        ValueError: one of them is no tensor of one element.
    """
    values = [tensor_util.make_ndarray(event.tensor_proto).item() for event in events]
    return *event_times(events), values


def held_bytes(series: Any) -> int:
    """Return about how much memory a series takes, as if all of its tensors were like the last."""
    if isinstance(series, ScalarSeries):
        return series.held_bytes()
    items = series.Items(KEY) if series.Keys() else []
    return len(items) * int(items[-1].tensor_proto.ByteSize()) if items else 0


def event_times(events: list[Any]) -> Times:
    """Return steps and wall times of events."""
    return [event.step for event in events], [event.wall_time for event in events]
