"""Finds the event files below a working folder, and those noted beside it, cheaply enough to be asked every second."""

import os
import stat
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from traindeck.events.elsewhere import ELSEWHERE, followed

FOLDERS_LIMIT = 2000
SETTLED_SECONDS = 2.0
"""A folder changed so recently may change again within one tick of the file system's clock."""

SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", ".git"})


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder held when its modification time was `changed_ns`."""

    changed_ns: int
    settled: bool
    folders: tuple[str, ...]
    files: tuple[str, ...]


class EventFileFinder:
    """Looks for event files, near the top first. Links are not followed: data sets are linked, and loops are.

    Attributes:
        problem: Why some files may have been missed the last time; None where nothing was left out.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.problem: str | None = None
        self._known: dict[str, Listing] = {}

    def find(self) -> list[str]:
        """The paths of all event files, relative to the working folder; those nearer to the top first.

        A path of a file on another file system is absolute.

        A folder that has not changed since the last time costs one `stat`.
        """
        found: list[str] = []
        seen: dict[str, Listing] = {}
        waiting = deque(["", ELSEWHERE])
        while waiting and len(seen) < FOLDERS_LIMIT:
            folder = waiting.popleft()
            listing = self._listing(folder)
            if listing is None:
                continue
            seen[folder] = listing
            found += [_join(folder, name) for name in listing.files]
            waiting += [_join(folder, name) for name in listing.folders]
        self._known = seen
        left_out = f"event files were looked for in the first {len(seen)} folders only"
        self.problem = left_out if waiting else None
        return found

    def _listing(self, folder: str) -> Listing | None:
        # Text, not a Path: there may be a thousand folders, and each is looked at every second.
        path = f"{self.work}/{folder}" if folder else str(self.work)
        try:
            state = os.lstat(path)
            known = self._known.get(folder)
            if known is not None and known.settled and known.changed_ns == state.st_mtime_ns:
                return known
            if not stat.S_ISDIR(state.st_mode):
                return None
            return _list(path, state.st_mtime_ns, follow=folder.startswith(ELSEWHERE))
        except OSError:
            return None


def _list(path: str, changed_ns: int, *, follow: bool) -> Listing:
    settled = time.time() - changed_ns / 1e9 > SETTLED_SECONDS
    folders, files = [], []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED:
                    folders.append(entry.name)
            elif "tfevents" in entry.name and entry.is_file(follow_symlinks=False):
                files.append(entry.name)
            elif follow and "tfevents" in entry.name and (file := followed(entry.path)) != entry.path:
                files.append(file)
    return Listing(changed_ns, settled, tuple(sorted(folders)), tuple(sorted(files)))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and not name.startswith("/") else name
