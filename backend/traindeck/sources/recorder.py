"""Writes down what git says of the projects of new runs, without holding up their launch."""

import logging
import threading
from pathlib import Path
from queue import Empty, SimpleQueue

from traindeck.sources.git import GitState, read_git
from traindeck.sources.runcode import DIFF, GIT
from traindeck.system.wholefiles import write_json, write_whole

logger = logging.getLogger(__name__)


class GitRecorder:
    """A thread that asks git about one folder after the other; it ends when there is nothing left to ask."""

    def __init__(self) -> None:
        self._wanted: SimpleQueue[tuple[Path, Path]] = SimpleQueue()
        self._asked_for: set[Path] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def record(self, root: Path, run_folder: Path) -> None:
        """Have git.json written into a run's folder; returns at once."""
        with self._lock:
            self._asked_for.add(run_folder)
        self._wanted.put((root, run_folder))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="git", daemon=True)
                self._thread.start()

    def is_asking(self, run_folder: Path) -> bool:
        """Return True until git has answered, or failed, for a run that it was asked about."""
        with self._lock:
            return run_folder in self._asked_for

    def tick(self) -> bool:
        """Record what was asked for until now; False where nothing was.

        Runs that were launched together from one folder share one answer: it is of a moment after each of them.
        """
        by_root: dict[Path, list[Path]] = {}
        while (one := self._next()) is not None:
            by_root.setdefault(one[0], []).append(one[1])
        for root, run_folders in by_root.items():
            _record(root, run_folders)
            with self._lock:
                self._asked_for.difference_update(run_folders)
        return bool(by_root)

    def _next(self) -> tuple[Path, Path] | None:
        try:
            return self._wanted.get_nowait()
        except Empty:
            return None

    def _loop(self) -> None:
        while True:
            if self.tick():
                continue
            with self._lock:
                # What is put from here on finds no thread, and starts one.
                if self._wanted.empty():
                    self._thread = None
                    return


def _record(root: Path, run_folders: list[Path]) -> None:
    try:
        found = read_git(root)
        if found is not None:
            for folder in run_folders:
                _write(folder, *found)
    except Exception:
        # What git says is a note beside a run: nothing that goes wrong with it may end the thread.
        logger.exception("git in %s could not be recorded", root)


def _write(folder: Path, state: GitState, diff: bytes) -> None:
    if (folder / GIT).exists():
        return  # A launch that was repeated: what was noted the first time is nearer to it.
    if diff:
        write_whole(folder / DIFF, diff)
    write_json(folder / GIT, state.as_json())
