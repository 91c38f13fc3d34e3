"""Which points TensorBoard keeps of a long series.

Its reservoir (backend/event_processing/reservoir.py) keeps the first `size` items. Each later one takes the
place of a random item, or of the last one; the random numbers are those of `random.Random(0)`, the same for
every tag. So it is worked out once for each number of items, for all tags and boards at a time.
"""

import random
import threading
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from traindeck.events.records import Indices

BLOCK = 1 << 16
REMEMBERED = 128


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
