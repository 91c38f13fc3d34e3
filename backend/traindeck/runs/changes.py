"""Tells whoever listens that a run changed. It carries numbers of runs, not their content.

A listener has one mark for each changed run, however many changes there were since it last looked: one that is
slow, or does not read at all, costs a bounded amount of memory.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Listener:
    """What has changed since this listener last looked."""

    def __init__(self, wake: Callable[[], None], run_id: int | None) -> None:
        self.wake = wake
        self._run_id = run_id
        self._lock = threading.Lock()
        self._changed: dict[int, None] = {}

    def mark(self, run_id: int) -> None:
        """Note the change of a run, and wake the listener at the first one."""
        if self._run_id not in (None, run_id):
            return
        with self._lock:
            first = not self._changed
            self._changed[run_id] = None
        if first:
            self.wake()

    def take(self) -> list[int]:
        """The runs that changed since the last call, each once, in the order of their first change."""
        with self._lock:
            changed, self._changed = self._changed, {}
        return list(changed)


class Changes:
    """The place where changes are told and listened for; used from any thread."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()
        self.count = 0
        """How many changes were told: what was made of the runs holds as long as this stays the same."""

    def tell(self, run_id: int) -> None:
        """Say that run `run_id` changed, or is gone."""
        with self._lock:
            self.count += 1
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.mark(run_id)

    def wake_all(self) -> None:
        """Wake every listener without a change, so that it can see that the deck is closing."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.wake()

    @contextmanager
    def listen(self, wake: Callable[[], None], run_id: int | None = None) -> Iterator[Listener]:
        """A listener for one run, or for all; `wake` is called from the thread in which the change was made."""
        listener = Listener(wake, run_id)
        with self._lock:
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)
