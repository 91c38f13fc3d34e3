# mypy: disallow-untyped-calls=False
"""What a board's event files hold, taken in when somebody asks: nothing is polled, nothing shown is stale."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from traindeck.boards.accumulator import BoardMultiplexer
from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.chain import joined
from traindeck.boards.memorylimit import FULL_SHARE, ROOM_SHARE, BoardClosedError, BoardFullError, Halt
from traindeck.boards.state import BoardPhase, BoardState
from traindeck.events.elsewhere import run_name
from traindeck.events.folders import EventFolders, Sizes
from traindeck.events.seriesnames import readable

FRESH_SECONDS = 0.5
"""The many requests of one page share one look at the disk."""

PATIENCE_SECONDS = 2.0
"""A request waits this long for data to be taken in, then answers with what there is; the rest follows."""

PIECES_SECONDS = 0.7
"""So long a page that was told of images gets them, before newer ones are taken in that may put them out."""

LOOK_SECONDS = 0.05
"""Who asks how far the board is waits this long for a look at the disk."""

logger = logging.getLogger(__name__)


class BoardReader:
    """Reads the event files of a board's folders into a TensorBoard multiplexer, as long as there is room for them.

    `crowding` says how much of the memory for boards is taken, as far as this board has to heed it.
    """

    def __init__(self, board: BoardSpec, crowding: Callable[["BoardReader"], float] = lambda _: 0.0) -> None:
        self.board = board
        self._crowding = crowding
        self._halt = Halt(lambda: crowding(self) < FULL_SHARE)
        self.multiplexer = BoardMultiplexer(self._halt)
        self._folders = {folder: EventFolders(folder) for prefix in board.folders for folder in board.chain(prefix)}
        self._seen: dict[str, list[tuple[Path, Sizes]]] = {}
        self._disk_bytes = 0
        self._is_behind = self._is_full = False
        self._changing = threading.Lock()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._began_at = self._ended_at = self._asked_at = float("-inf")
        self._done.set()

    def refresh(self) -> None:
        """Take in what is new, waiting for it `PATIENCE_SECONDS` at most, counted from when it was begun."""
        self._asked_at = time.monotonic()
        self._begin()
        self._done.wait(max(0.0, self._began_at + PATIENCE_SECONDS - time.monotonic()))

    @property
    def has_read(self) -> bool:
        """Return whether the files were ever looked at."""
        return self._ended_at > 0

    def state(self) -> BoardState:
        """Return how far the board is. A board that somebody watches so takes in what is new."""
        if time.monotonic() - self._asked_at > PIECES_SECONDS:
            self._begin()
        self._done.wait(LOOK_SECONDS)
        read_bytes, last_step = self.multiplexer.progress()
        state = BoardPhase.READING if self._is_behind or not self.has_read else BoardPhase.CURRENT
        state = BoardPhase.FULL if self._is_full else state
        return BoardState(state, self._disk_bytes, min(read_bytes, self._disk_bytes), last_step)

    def change(self, board: BoardSpec) -> None:
        """Show other runs, or the same by other names, from now on. What was read of those that stay is kept."""
        with self._changing:
            before, self.board = self.board, board
            chains = [folder for prefix in board.folders for folder in board.chain(prefix)]
            self._folders = {folder: self._folders.get(folder) or EventFolders(folder) for folder in chains}
            self._seen = {}
            self.multiplexer.rename(_renaming(before, board))
        with self._lock:
            # Whoever asks now looks at the disk again.
            self._ended_at = float("-inf")

    def close(self) -> None:
        """Stop taking in data."""
        self._halt.close()

    def _begin(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._done.is_set() and now - self._ended_at > FRESH_SECONDS:
                self._done.clear()
                self._began_at = now
                threading.Thread(target=self._load, name=f"load {self.board.id}", daemon=True).start()

    def _load(self) -> None:
        try:
            board, found = self.board, self._scan()
            with self._changing:
                is_news = self.board is board and found != self._seen
                self._is_behind = is_news
                self._disk_bytes = _bytes(found)
                if is_news:
                    for name, folders in found.items():
                        self.multiplexer.add(name, [str(folder) for folder, _ in folders])
            if is_news and not (self._is_full and self._crowding(self) > ROOM_SHARE):
                self.multiplexer.Reload()
                self._seen = found
                self._is_behind = self._is_full = False
        except BoardClosedError:
            logger.info("board=%s closed while it was read", self.board.id)
        except (BoardFullError, MemoryError):
            logger.warning("board=%s is too large for the memory: the rest of it is not read", self.board.id)
            self._is_full = True
        except Exception:
            # The board keeps what it has; the next request tries again.
            logger.exception("board=%s could not read its event files", self.board.id)
        finally:
            self._ended_at = time.monotonic()
            self._done.set()

    def _scan(self) -> dict[str, list[tuple[Path, Sizes]]]:
        board, folders = self.board, self._folders
        runs: dict[str, list[tuple[Path, Sizes]]] = {}
        for prefix in board.folders:
            attempts = (folders[folder] for folder in board.chain(prefix) if folder in folders)
            found = (_named(one) for one in attempts)
            runs |= {str(PurePosixPath(prefix, name)): chain for name, chain in joined(found).items()}
        return runs


def _named(folders: EventFolders) -> dict[str, tuple[Path, Sizes]]:
    """Return the folders by TensorBoard's names for them."""
    found: dict[str, tuple[Path, Sizes]] = {}
    for path, sizes in folders.scan().items():
        name = readable(run_name(path))
        found[f"elsewhere/{name}" if name in found else name] = (folders.root / path, sizes)
    return found


def _bytes(found: dict[str, list[tuple[Path, Sizes]]]) -> int:
    return sum(size for chain in found.values() for _, sizes in chain for _, size in sizes)


def _renaming(before: BoardSpec, now: BoardSpec) -> Callable[[str], str | None]:
    """Return the way from a run's name to its name on the changed board; None where that shows it no more."""
    prefixes = {tuple(now.chain(prefix)): prefix for prefix in now.folders}
    firsts = {chain[0]: chain for chain in prefixes}
    kept = {}
    for prefix in before.folders:
        old = tuple(before.chain(prefix))
        new = firsts.get(old[0], ())
        # Attempts that go on from what was shown join it; any other change is read anew.
        if new[: len(old)] == old:
            kept[prefix] = prefixes[new]

    def new_name(name: str) -> str | None:
        for prefix, to in kept.items():
            if PurePosixPath(name).is_relative_to(prefix):
                return str(PurePosixPath(to, PurePosixPath(name).relative_to(prefix)))
        return None

    return new_name
