"""When the dispatcher must look at the queue again because a retry's back-off ends."""

import heapq
from collections.abc import Callable

MARGIN_SECONDS = 0.05
"""The wall clock, by which a run knows that its wait is over, may run a little behind the monotonic one."""


class Backoffs:
    """The ends of waits that have begun, on a monotonic clock. For the dispatcher's thread alone."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: list[float] = []

    def begin(self, seconds: float) -> None:
        """Begin a wait of so many seconds."""
        heapq.heappush(self._ends, self._clock() + seconds + MARGIN_SECONDS)

    def seconds_until_next(self, at_most: float) -> float:
        """Return how long it is until the next one ends; those that have ended are forgotten."""
        now = self._clock()
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        return min(at_most, self._ends[0] - now) if self._ends else at_most
