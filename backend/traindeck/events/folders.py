"""Where event files lie, below a folder and noted beside it: in real folders only, never behind a link.

Data sets are linked, and loops are. A look is cheap enough to be repeated every second: a folder that has not changed
since the last one costs one `stat`.
"""

import hashlib
import os
import stat
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from traindeck.events.elsewhere import ELSEWHERE, followed

FOLDERS_LIMIT = 2000
WALKED_LIMIT = 50_000
"""Folders that are looked into for one answer about log folders."""
SETTLED_SECONDS = 2.0
"""A folder changed so recently may change again within one tick of the file system's clock."""
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", ".git"})

Sizes = tuple[tuple[str, int], ...]
"""Name and bytes of each event file of one folder."""


def is_event_file(name: str) -> bool:
    """Return whether a file has the name of an event file, as TensorBoard recognizes them."""
    return "tfevents" in name


@contextmanager
def opened(path: str) -> Iterator[int]:
    """Open an event file: a regular one, through no link but that of a noted file, and without waiting for a pipe.

    Raises:
        OSError: it cannot be opened, or is something else.
    """
    descriptor = os.open(followed(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not an ordinary file")
        yield descriptor
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder held when its modification time was `changed_ns`."""

    changed_ns: int
    is_settled: bool
    folders: tuple[str, ...]
    files: tuple[str, ...]


class EventFolders:
    """The folders with event files below `root`; a look lists only those that changed since the last.

    Attributes:
        problem: Why some files may have been missed the last time; None where nothing was left out.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problem: str | None = None
        self._known: dict[str, Listing] = {}

    def scan(self) -> dict[str, Sizes]:
        """Return each folder with event files, relative to the root ("." for itself), and the sizes of its files.

        All of them, in TensorBoard's order: the HParams tab takes what it shows from the first run.
        """
        waiting, seen = deque(["", ELSEWHERE]), dict[str, Listing]()
        while waiting:
            waiting.extendleft(reversed(self._look(waiting.popleft(), seen)))
        self._known = seen
        sizes = {relative: tuple(self._sizes(relative, listing.files)) for relative, listing in seen.items()}
        return {relative or ".": found for relative, found in sizes.items() if found}

    def find(self) -> list[str]:
        """Return the paths of event files, relative to the root; those of the folders nearest to the top.

        Folders of tools are left out. A path of a file on another file system is absolute.
        """
        waiting, seen = deque([] if self.root.is_symlink() else ["", ELSEWHERE]), dict[str, Listing]()
        while waiting and len(seen) < FOLDERS_LIMIT:
            below = self._look(waiting.popleft(), seen)
            waiting += sorted(folder for folder in below if folder.rpartition("/")[2] not in SKIPPED)
        self._known = seen
        left_out = f"event files were looked for in the first {len(seen)} folders only"
        self.problem = left_out if waiting else None
        return [self._place(relative, name) for relative, listing in seen.items() for name in listing.files]

    def _look(self, relative: str, seen: dict[str, Listing]) -> list[str]:
        """Add the listing of a folder to `seen`, and return the folders in it; none where it cannot be read."""
        listing = self._listing(relative)
        if listing is None:
            return []
        seen[relative] = listing
        return [_join(relative, name) for name in listing.folders]

    def _listing(self, relative: str) -> Listing | None:
        # Text, not a Path: there may be a thousand folders, and each is looked at every second.
        path = f"{self.root}/{relative}" if relative else str(self.root)
        try:
            state = os.lstat(path) if relative else os.stat(path)  # noqa: PTH116
            known = self._known.get(relative)
            if known is not None and known.is_settled and known.changed_ns == state.st_mtime_ns:
                return known
            if not stat.S_ISDIR(state.st_mode):
                return None
            return _list(path, state.st_mtime_ns, are_noted=relative.startswith(ELSEWHERE))
        except OSError:
            # Gone, or not ours to read: it has no event files then, and may have some at the next look.
            return None

    def _sizes(self, relative: str, names: tuple[str, ...]) -> Iterator[tuple[str, int]]:
        for name in names:
            try:
                state = os.lstat(self.root / self._place(relative, name))
            except OSError:
                continue
            if stat.S_ISREG(state.st_mode):
                yield name, state.st_size

    def _place(self, relative: str, name: str) -> str:
        """Return the path of a file, from the root; where it lies itself, if it was noted on another file system."""
        path = _join(relative, name)
        if not relative.startswith(ELSEWHERE):
            return path
        noted = f"{self.root}/{path}"
        return path if (file := followed(noted)) == noted else file


@dataclass(frozen=True, slots=True)
class LogFolder:
    """A folder with event files, and what lies below it; `fingerprint` changes whenever one of the files does."""

    path: Path
    files: list[Path]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class LogFolders:
    """What was found below a folder; `complete` is false where there was more than is looked through."""

    paths: list[Path]
    complete: bool


def find_log_folders(top: Path, limit: int) -> LogFolders:
    """Return the outermost folders at or below `top` with event files, by path; not links and hidden folders.

    What lies deeper belongs to them: `add_scalars` and `add_hparams` make such folders below the log folder.
    """
    found: list[Path] = []
    waiting, seen = [str(top)], 0
    while waiting:
        folder, seen = waiting.pop(), seen + 1
        try:
            listing = _list(folder)
        except OSError:
            continue  # Gone since, or not ours to read: it holds no logs for this user.
        if listing.files:
            found.append(Path(folder))
        else:
            below = (name for name in listing.folders if name not in SKIPPED and not name.startswith("."))
            waiting += (f"{folder}/{name}" for name in sorted(below, reverse=True))
        if len(found) > limit or seen >= WALKED_LIMIT:
            return LogFolders(found[:limit], complete=False)
    return LogFolders(found, complete=True)


def log_folder(path: Path) -> LogFolder:
    """Return the event files at and below a folder, as they are now."""
    files = [path / name for name in EventFolders(path).find()]
    digest = hashlib.sha256()
    for file in files:
        try:
            state = file.lstat()
        except OSError:
            continue  # Gone since: the digest is that of the files that are there.
        digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return LogFolder(path, files, digest.hexdigest())


def _list(path: str, changed_ns: int = 0, *, are_noted: bool = False) -> Listing:
    is_settled = time.time() - changed_ns / 1e9 > SETTLED_SECONDS
    folders, files = [], []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif is_event_file(entry.name) and (
                entry.is_file(follow_symlinks=False) or (are_noted and followed(entry.path) != entry.path)
            ):
                files.append(entry.name)
    return Listing(changed_ns, is_settled, tuple(folders), tuple(sorted(files)))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
