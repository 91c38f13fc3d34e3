"""How far a board is with what a run has written; of one that is not open, without TensorBoard: what lies on disk."""

import json
import os
import struct
import threading
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from traindeck.boards.boardspec import BoardSpec
from traindeck.events.folders import EventFolders, opened

REMEMBERED = 64
"""Folders whose listings are kept, so that a look that comes again costs little."""

LENGTH = struct.Struct("<Q")
FRAME_BYTES = 16
"""A record of an event file: its length as `LENGTH`, a checksum of that, the data, a checksum of that."""


class BoardPhase(StrEnum):
    """How far a board is.

    `WAITING`: the run has had no attempt. `GONE`: its folder is not there. `EMPTY`: nothing was written that a board
    could show. `AWAY`: TensorBoard does not run at this moment. `CLOSED`: the board is not open, and opens when
    somebody looks at it. `READING`, `CURRENT`: it is open, and has more to read or not. `FULL`: it is open,
    and there is no memory for the rest.
    """

    WAITING = "waiting"
    GONE = "gone"
    EMPTY = "empty"
    AWAY = "away"
    CLOSED = "closed"
    READING = "reading"
    CURRENT = "current"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class BoardState:
    """One look at a board.

    Attributes:
        state: What there is to say.
        disk_bytes: The size of the event files when they were last looked at.
        read_bytes: How much of that the board has taken in; 0 where it is not open.
        last_step: The highest step of what it has taken in; None where there is none.
        reason: For people: why TensorBoard is away.
    """

    state: BoardPhase
    disk_bytes: int = 0
    read_bytes: int = 0
    last_step: int | None = None
    reason: str = ""

    def encode(self) -> bytes:
        """Return it as JSON."""
        content = {"state": self.state, "disk_bytes": self.disk_bytes, "read_bytes": self.read_bytes}
        return json.dumps({**content, "last_step": self.last_step, "reason": self.reason}).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the state that `encode` wrote."""
        content = json.loads(data)
        return cls(**{**content, "state": BoardPhase(content["state"])})


class BoardDisk:
    """Looks at the event files of boards; safe for threads."""

    def __init__(self) -> None:
        self._folders: OrderedDict[Path, EventFolders] = OrderedDict()
        self._lock = threading.Lock()

    def look(self, board: BoardSpec) -> BoardState:
        """Return `GONE`, `EMPTY` or `CLOSED`, with the bytes on disk."""
        if not board.has_folder():
            return BoardState(BoardPhase.GONE)
        with self._lock:
            folders = [folder for prefix in board.folders for folder in board.chain(prefix)]
            sizes = {path: size for folder in folders for path, size in self._files(folder)}
        has_data = any(_says_something(path, size) for path, size in sizes.items())
        return BoardState(BoardPhase.CLOSED if has_data else BoardPhase.EMPTY, sum(sizes.values()))

    def _files(self, folder: Path) -> list[tuple[Path, int]]:
        folders = self._folders.setdefault(folder, EventFolders(folder))
        self._folders.move_to_end(folder)
        while len(self._folders) > REMEMBERED:
            self._folders.popitem(last=False)
        found = folders.scan().items()
        return [(folder / relative / name, size) for relative, sizes in found for name, size in sizes]


def _says_something(path: Path, size: int) -> bool:
    """Return whether there is more than the first record, which tells the version and comes with every file."""
    try:
        with opened(str(path)) as descriptor:
            head = os.pread(descriptor, LENGTH.size, 0)
    except OSError:
        return False
    return len(head) == LENGTH.size and size > LENGTH.unpack(head)[0] + FRAME_BYTES
