"""Cache answers of the database between sessions, each with the runs that changed since it was read.

A reader looks up only the changed runs again, so that a deck with training runs does not read whole answers for each
change.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Any

KEPT_RUNS = 3_000_000
"""The most runs in all answers together, about 8 bytes each; beyond that the least recently used answer is evicted."""
CHANGED_RUNS = 1000
"""An answer is evicted when more runs than this have changed since it was read."""
RECENT_CHANGES = 1000
"""The most recent commits, for readers whose transaction began before them."""


@dataclass(slots=True)
class _CachedAnswer:
    content: Any
    size: int
    changed: set[int]


class Memory:
    """Answers by their question; `position` counts the commits that changed runs."""

    def __init__(self) -> None:
        self.position = 0
        self._recent: deque[tuple[int, Collection[int]]] = deque(maxlen=RECENT_CHANGES)
        self._answers: OrderedDict[Hashable, _CachedAnswer] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def mark_changed(self, run_ids: Collection[int]) -> None:
        """Mark runs as changed in every answer, after the commit of the change."""
        if not run_ids:
            return
        with self._lock:
            self.position += 1
            self._recent.append((self.position, run_ids))
            for key, answer in list(self._answers.items()):
                answer.changed.update(run_ids)
                if len(answer.changed) > CHANGED_RUNS:
                    self._drop(key)

    def recall(self, key: Hashable) -> tuple[Any, set[int]] | None:
        """Return a cached answer, and the runs that changed since it was read."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None:
                return None
            self._answers.move_to_end(key)
            return answer.content, set(answer.changed)

    def keep(self, key: Hashable, content: Any, size: int, position: int) -> None:
        """Cache an answer with `size` runs, read by a transaction that began at `position` or later."""
        with self._lock:
            if self.position - position > len(self._recent) or size > KEPT_RUNS:
                return
            later = [run_ids for at, run_ids in self._recent if at > position]
            self._drop(key)
            self._answers[key] = _CachedAnswer(content, size, set().union(*later))
            self._size += size
            while self._size > KEPT_RUNS:
                self._drop(next(iter(self._answers)))

    def _drop(self, key: Hashable) -> None:
        answer = self._answers.pop(key, None)
        self._size -= answer.size if answer else 0


@dataclass(slots=True)
class Reader:
    """The memory for one session, whose transaction began at `position` or later."""

    memory: Memory
    position: int
    read: int = 0
    """How many answers this session has read and cached."""

    def recall(self, key: Hashable) -> tuple[Any, set[int]] | None:
        """See `Memory.recall`."""
        return self.memory.recall(key)

    def keep(self, key: Hashable, content: Any, size: int) -> None:
        """See `Memory.keep`."""
        self.read += 1
        self.memory.keep(key, content, size, self.position)
