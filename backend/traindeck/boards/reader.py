# mypy: disallow-untyped-calls=False
"""What a board's event files hold, taken in when somebody asks: nothing is polled, nothing shown is stale."""

import logging
import threading
import time
from pathlib import Path, PurePosixPath

from traindeck.boards.accumulator import BoardClosedError, BoardMultiplexer
from traindeck.boards.folders import EventFolders, Sizes
from traindeck.boards.spec import BoardSpec

FRESH_SECONDS = 0.5
"""The many requests of one page share one look at the disk."""

PATIENCE_SECONDS = 2.0
"""A request waits this long for data to be taken in, then answers with what there is; the rest follows."""

logger = logging.getLogger(__name__)


class BoardReader:
    """Reads the event files of a board's folders into a TensorBoard multiplexer."""

    def __init__(self, board: BoardSpec) -> None:
        self.board = board
        self.multiplexer = BoardMultiplexer()
        self._folders = [(prefix, EventFolders(folder)) for prefix, folder in board.folders.items()]
        self._seen: dict[str, Sizes] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._began_at = self._ended_at = float("-inf")
        self._done.set()

    def refresh(self) -> None:
        """Take in what is new, waiting for it `PATIENCE_SECONDS` at most, counted from when it was begun."""
        with self._lock:
            now = time.monotonic()
            if self._done.is_set() and now - self._ended_at > FRESH_SECONDS:
                self._done.clear()
                self._began_at = now
                threading.Thread(target=self._load, name=f"load {self.board.id}", daemon=True).start()
        self._done.wait(max(0.0, self._began_at + PATIENCE_SECONDS - time.monotonic()))

    def close(self) -> None:
        """Stop taking in data."""
        self.multiplexer.close()

    def _load(self) -> None:
        try:
            self._take_in(self._scan())
        except BoardClosedError:
            logger.info("board=%s closed while it was read", self.board.id)
        except Exception:
            # The board goes on with what it has; the next request tries again.
            logger.exception("board=%s could not read its event files", self.board.id)
        finally:
            self._ended_at = time.monotonic()
            self._done.set()

    def _scan(self) -> dict[str, tuple[Path, Sizes]]:
        found = {}
        for prefix, folders in self._folders:
            for relative, sizes in folders.scan().items():
                found[str(PurePosixPath(prefix, relative))] = (folders.root / relative, sizes)
        return found

    def _take_in(self, found: dict[str, tuple[Path, Sizes]]) -> None:
        sizes = {name: file_sizes for name, (_, file_sizes) in found.items()}
        if sizes == self._seen:
            return
        for name, (folder, _) in found.items():
            self.multiplexer.AddRun(str(folder), name)
        self.multiplexer.Reload()
        self._seen = sizes
