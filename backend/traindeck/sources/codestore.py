"""Everything that a deck keeps of code: contents, projects, uploads, and what git says of them."""

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from traindeck.sources.blobs import Blobs
from traindeck.sources.git import repository_of
from traindeck.sources.recorder import GitRecorder
from traindeck.sources.snapshot import Snapshots
from traindeck.sources.tree import CodeFile, CodeTree, tree_of
from traindeck.sources.uploads import Uploads

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 3600


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
