"""The boards of several runs that were asked for last, kept while no run changes: one page makes many requests."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from traindeck.boards.spec import BoardSpec

KEPT = 32
KEPT_SECONDS = 2.0
"""A folder that was made or removed without the deck is seen after this."""


@dataclass(frozen=True, slots=True)
class BoardSet:
    """Several runs as one board.

    Attributes:
        board: What is shown.
        runs: How many runs those are.
        count: The same for people, such as "newest 100 of 240 runs".
        live: Whether there may be more to show later: a run has not ended, or others may come to match.
    """

    board: BoardSpec
    runs: int
    count: str
    live: bool


class BoardSets:
    """Boards by their names, with the number of changes after which each was made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, float, BoardSet]] = OrderedDict()

    def get(self, name: str, changes: int, make: Callable[[], BoardSet]) -> BoardSet:
        """The board of that name as it is after so many changes; raises what `make` raises."""
        now = time.monotonic()
        with self._lock:
            before, made_at, kept = self._kept.get(name, (-1, 0.0, None))
        if kept is not None and before == changes and now - made_at < KEPT_SECONDS:
            return kept
        made = make()
        with self._lock:
            self._kept[name] = (changes, now, made)
            self._kept.move_to_end(name)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made
