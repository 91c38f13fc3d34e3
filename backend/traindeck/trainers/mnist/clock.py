"""Time spent on training alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class TrainingClock:
    """Runs from its making, and stands still while something else than training is done."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def lap_seconds(self) -> float:
        """Seconds since the last lap, at least a nanosecond; begins another."""
        now = time.perf_counter()
        lap, self._began = now - self._began, now
        return max(lap, 1e-9)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave what happens inside out of the lap."""
        paused_at = time.perf_counter()
        yield
        self._began += time.perf_counter() - paused_at
