"""Keeps answers of the database between sessions, with the runs that have changed since each was read.

A reader looks up the changed runs again, and takes the others as they are kept. So a deck in which runs train does not
read the whole answer again for each change.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Any

KEPT_RUNS = 3_000_000
"""Runs in all answers together, some 8 bytes each; beyond them the answer that was used longest ago goes."""
CHANGED_RUNS = 1000
"""Runs that have changed since an answer was read, beyond which it is dropped."""
RECENT_CHANGES = 1000
"""Commits that are known one by one, for a reader whose transaction began before them."""


@dataclass(slots=True)
class _Answer:
    content: Any
    size: int
    changed: set[int]


class Memory:
    """Answers by what was asked; `position` counts the commits that changed runs."""

    def __init__(self) -> None:
        self.position = 0
        self._recent: deque[tuple[int, Collection[int]]] = deque(maxlen=RECENT_CHANGES)
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def note_changed(self, run_ids: Collection[int]) -> None:
        """Mark runs as changed in every answer; called once the change is committed."""
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
        """Return what was kept, and the runs that have changed since."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None:
                return None
            self._answers.move_to_end(key)
            return answer.content, set(answer.changed)

    def keep(self, key: Hashable, content: Any, size: int, position: int) -> None:
        """Keep what a transaction read that began at `position` or later; `size` is the number of runs in it."""
        with self._lock:
            if self.position - position > len(self._recent) or size > KEPT_RUNS:
                return
            later = [run_ids for at, run_ids in self._recent if at > position]
            self._drop(key)
            self._answers[key] = _Answer(content, size, set().union(*later))
            self._size += size
            while self._size > KEPT_RUNS:
                self._drop(next(iter(self._answers)))

    def _drop(self, key: Hashable) -> None:
        answer = self._answers.pop(key, None)
        self._size -= answer.size if answer else 0


@dataclass(slots=True)
class Reader:
    """The memory as a session uses it; its transaction began at `position` or later."""

    memory: Memory
    position: int
    read: int = 0
    """Answers that this session has read anew."""

    def recall(self, key: Hashable) -> tuple[Any, set[int]] | None:
        """See `Memory.recall`."""
        return self.memory.recall(key)

    def keep(self, key: Hashable, content: Any, size: int) -> None:
        """See `Memory.keep`."""
        self.read += 1
        self.memory.keep(key, content, size, self.position)
