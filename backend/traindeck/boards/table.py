"""The boards that are open: found by key, opened at first use, closed when too many or long unused."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from traindeck.boards.board import Board, TensorBoard
from traindeck.boards.spec import Opening


@dataclass
class _Entry:
    board: Board
    used_at: float = field(default_factory=time.monotonic)


class OpenBoards:
    """At most `limit` boards, each unused for at most `idle_seconds`; the least recently used goes first."""

    def __init__(self, trees: Path, limit: int, idle_seconds: float) -> None:
        self._tensorboard = TensorBoard()
        self._trees = trees
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def open(self, opening: Opening) -> None:
        """Have the board open; nothing happens if it is."""
        with self._lock:
            if opening.key not in self._entries:
                self._entries[opening.key] = _Entry(Board(opening, self._tensorboard, self._trees))
            self._close_down_to(self._limit)

    def get(self, key: str) -> Board | None:
        """The open board of that key, or None where it was never opened or has been closed."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            entry.used_at = time.monotonic()
            self._entries.move_to_end(key)
            return entry.board

    def tick(self) -> None:
        """Close what has not been used for long."""
        oldest = time.monotonic() - self._idle_seconds
        with self._lock:
            unused = sum(entry.used_at < oldest for entry in self._entries.values())
            self._close_down_to(len(self._entries) - unused)

    def _close_down_to(self, count: int) -> None:
        while len(self._entries) > count:
            _, entry = self._entries.popitem(last=False)
            entry.board.close()
