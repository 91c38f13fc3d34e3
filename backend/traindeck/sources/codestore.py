"""Keep the code of a deck: contents, projects, uploads, and the state of their git repositories."""

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Self

from traindeck.sources.blobs import Blobs
from traindeck.sources.git import GitState, read_git, repository_of
from traindeck.sources.runcode import DIFF, GIT
from traindeck.sources.snapshot import Snapshots
from traindeck.sources.tree import CodeFile, CodeTree, tree_of
from traindeck.sources.uploadstore import Uploads
from traindeck.system.wholefiles import write_json, write_whole

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 3600


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


@dataclass(frozen=True, slots=True)
class CodeStore:
    """The code of one deck."""

    blobs: Blobs
    snapshots: Snapshots
    uploads: Uploads
    git: GitRecorder
    _closing: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def at(cls, home: Path, reserve_bytes: int = 0) -> Self:
        """The store in a deck's home, which leaves so much of the disk free; nothing is opened yet."""
        blobs = Blobs(home / "code", reserve_bytes)
        return cls(blobs, Snapshots(blobs), Uploads(home / "uploads", blobs), GitRecorder())

    def prepare(self) -> None:
        """Make the folders."""
        self.blobs.prepare()
        self.uploads.prepare()

    def start(self) -> None:
        """Start to remove unused contents and uploads, at once and then hourly."""
        threading.Thread(target=self._loop, name="code-sweep", daemon=True).start()

    def close(self) -> None:
        """Stop that."""
        self._closing.set()

    def sent(self, filename: str, source: bytes) -> CodeTree:
        """The tree of a single file that was sent; it is kept on return."""
        digest = self.blobs.put_bytes(source)
        return tree_of(filename, None, [CodeFile(filename, len(source), digest, 0)])

    def record_git(self, tree: CodeTree | None, run_folder: Path) -> None:
        """Have what git says of the tree's project written into a run's folder; returns at once."""
        if tree is not None and tree.root is not None and repository_of(Path(tree.root)) is not None:
            self.git.record(Path(tree.root), run_folder)

    def tick(self) -> None:
        """Remove unused contents and uploads; never raises."""
        try:
            uploads, contents = self.uploads.sweep(), self.blobs.sweep()
            if uploads or contents:
                logger.info("removed %d uploads that no run used, %d contents that nothing links", uploads, contents)
        except OSError as error:
            logger.warning("unused contents and uploads could not be removed: %s", error)

    def _loop(self) -> None:
        self.tick()
        while not self._closing.wait(SWEEP_SECONDS):
            self.tick()


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
