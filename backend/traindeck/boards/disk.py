"""What lies on disk for a board that is not open: so much can be said without TensorBoard."""

import os
import struct
import threading
from collections import OrderedDict
from pathlib import Path

from traindeck.boards.spec import BoardSpec
from traindeck.boards.state import BoardState, State
from traindeck.events.folders import EventFolders, opened

REMEMBERED = 64
"""Folders whose listings are kept, so that a look that comes again costs little."""


LENGTH = struct.Struct("<Q")
FRAME_BYTES = 16
"""A record of an event file: its length as `LENGTH`, a checksum of that, the data, a checksum of that."""


class BoardDisk:
    """Looks at the event files of boards; safe for threads."""

    def __init__(self) -> None:
        self._folders: OrderedDict[Path, EventFolders] = OrderedDict()
        self._lock = threading.Lock()

    def look(self, board: BoardSpec) -> BoardState:
        """`GONE`, `EMPTY` or `CLOSED`, with the bytes on disk."""
        if not board.has_folder():
            return BoardState(State.GONE)
        with self._lock:
            folders = [folder for prefix in board.folders for folder in board.chain(prefix)]
            sizes = {path: size for folder in folders for path, size in self._files(folder)}
        has_data = any(_says_something(path, size) for path, size in sizes.items())
        return BoardState(State.CLOSED if has_data else State.EMPTY, sum(sizes.values()))

    def _files(self, folder: Path) -> list[tuple[Path, int]]:
        folders = self._folders.setdefault(folder, EventFolders(folder))
        self._folders.move_to_end(folder)
        while len(self._folders) > REMEMBERED:
            self._folders.popitem(last=False)
        found = folders.scan().items()
        return [(folder / relative / name, size) for relative, sizes in found for name, size in sizes]


def _says_something(path: Path, size: int) -> bool:
    """Whether there is more than the first record, which tells the version and comes with every file."""
    try:
        with opened(str(path)) as descriptor:
            head = os.pread(descriptor, LENGTH.size, 0)
    except OSError:
        return False
    return len(head) == LENGTH.size and size > LENGTH.unpack(head)[0] + FRAME_BYTES
