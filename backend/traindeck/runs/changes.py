"""Notify listeners of changed runs, by number and not by content.

A listener keeps one mark for each changed run until it takes them, however many changes there were. A slow listener
therefore needs a bounded amount of memory.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Listener:
    """Collects the runs that changed since the last `take`."""

    def __init__(self, wake: Callable[[], None], run_id: int | None) -> None:
        self.wake = wake
        self._run_id = run_id
        self._lock = threading.Lock()
        self._changed: dict[int, None] = {}

    def mark(self, run_id: int) -> None:
        """Mark a run as changed, and wake the listener at the first mark."""
        if self._run_id not in (None, run_id):
            return
        with self._lock:
            first = not self._changed
            self._changed[run_id] = None
        if first:
            self.wake()

    def take(self) -> list[int]:
        """Return the runs that changed since the last call, each once, in the order of their first change."""
        with self._lock:
            changed, self._changed = self._changed, {}
        return list(changed)


class Changes:
    """Publishes changes of runs to listeners, from any thread."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()
        self.count = 0
        """The number of changes so far. What was computed from runs is current while this stays the same."""

    def publish(self, run_id: int) -> None:
        """Notify the listeners that run `run_id` changed or was deleted."""
        with self._lock:
            self.count += 1
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.mark(run_id)

    def wake_all(self) -> None:
        """Wake every listener without a change, so that it notices that the deck is closing."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.wake()

    @contextmanager
    def listen(self, wake: Callable[[], None], run_id: int | None = None) -> Iterator[Listener]:
        """Yield a listener for one run or for all. `wake` is called in the thread that made the change."""
        listener = Listener(wake, run_id)
        with self._lock:
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)
