"""The boards that are open: found by key, opened at first use, closed when too many or long unused."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from traindeck.boards.board import Board, TensorBoard
from traindeck.boards.boardreader import BoardReader
from traindeck.boards.boardspec import Opening
from traindeck.boards.memorylimit import FULL_SHARE, MemoryLimit

WATCHED_SECONDS = 30.0
"""A board that was used so shortly ago stands in a page that is open."""


@dataclass
class _Entry:
    place: tuple[str, str]
    make: Callable[[], Board]
    used_at: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def _board(self) -> Board:
        # Let go of afterwards: it may hold what the board was before it was changed.
        make, self.make = self.make, _made
        return make()

    def board(self) -> Board:
        """Return the board, made by the first who asks; others who ask for it wait for that."""
        with self.lock:
            return self._board

    @property
    def made(self) -> Board | None:
        """Return the board, where it is made already."""
        return self.__dict__.get("_board")

    def close(self) -> None:
        """Close the board, if it was made."""
        with self.lock:
            if self.made is not None:
                self.made.close()


def _held_bytes(entry: _Entry) -> int:
    return entry.made.reader.multiplexer.held_bytes() if entry.made is not None else 0


def _made() -> Board:
    raise OSError("the board could not be made")


class OpenBoards:
    """At most `limit` boards, each unused for at most `idle_seconds`; the least recently used goes first.

    Where memory gets scarce, what takes most of it suffers: it is not read on, and only then boards are closed.
    """

    def __init__(self, trees: Path, limit: int, idle_seconds: float, memory: MemoryLimit) -> None:
        self.tensorboard = TensorBoard()
        self._trees = trees
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._memory = memory
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def open(self, opening: Opening) -> None:
        """Have the board open; nothing happens if it is. Other boards answer meanwhile."""
        with self._lock:
            entry = self._entries.get(opening.key) or self._entries.setdefault(opening.key, self._entry(opening))
        try:
            entry.board()
        except OSError:
            with self._lock:
                self._entries.pop(opening.key, None)
            raise
        self._close_down_to(self._limit)

    def get(self, key: str) -> Board | None:
        """Return the open board of that key, or None where it was never opened or has been closed."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            entry.used_at = time.monotonic()
            self._entries.move_to_end(key)
        return entry.board()

    def tick(self) -> None:
        """Close what has not been used for long."""
        oldest = time.monotonic() - self._idle_seconds
        with self._lock:
            unused = sum(entry.used_at < oldest for entry in self._entries.values())
        self._close_down_to(len(self._entries) - unused)

    def make_room(self) -> bool:
        """Close the least recently used board, or where all are in use that which takes most; whether there was one."""
        with self._lock:
            if not self._entries:
                return False
            key = next(iter(self._entries))
            if time.monotonic() - self._entries[key].used_at < WATCHED_SECONDS:
                key = max(self._entries, key=lambda one: _held_bytes(self._entries[one]))
            closed = self._entries.pop(key)
        closed.close()
        return True

    def _crowding(self, reader: BoardReader) -> float:
        """Return how much of the memory is taken, as it concerns a board: not at all while another takes more."""
        share = self._memory.share()
        if share < FULL_SHARE:
            return share
        with self._lock:
            entries = list(self._entries.values())
        most = max((_held_bytes(entry) for entry in entries), default=0)
        return share if reader.multiplexer.held_bytes() >= most else 0.0

    def _entry(self, opening: Opening) -> _Entry:
        """Return a new entry; where the same board is open with other runs, it is that board, changed."""
        former = next((key for key, entry in self._entries.items() if entry.place == opening.place), None)
        if former is None:
            return _Entry(opening.place, lambda: self._board(opening))
        board = self._entries.pop(former).board
        return _Entry(opening.place, lambda: board().changed(opening))

    def _board(self, opening: Opening) -> Board:
        return Board(opening, self.tensorboard, self._trees, BoardReader(opening.board, self._crowding))

    def _close_down_to(self, count: int) -> None:
        closed = []
        with self._lock:
            while len(self._entries) > count:
                closed.append(self._entries.popitem(last=False)[1])
        for entry in closed:
            entry.close()
