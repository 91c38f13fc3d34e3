"""Folders of event files that no run of the deck has written: found, and told apart by what has changed."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from traindeck.events.folders import SKIPPED, EventFolders, is_event_file

FOLDERS_LIMIT = 50_000
"""Folders that are looked into for one answer."""


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
    """The outermost folders at or below `top` with event files, by path; links and hidden folders are left out.

    What lies deeper belongs to them: `add_scalars` and `add_hparams` make such folders below the log folder.
    """
    found: list[Path] = []
    for seen, (folder, has_events) in enumerate(_walk(str(top)), start=1):
        if has_events:
            found.append(Path(folder))
        if len(found) > limit or seen >= FOLDERS_LIMIT:
            return LogFolders(found[:limit], complete=False)
    return LogFolders(found, complete=True)


def log_folder(path: Path) -> LogFolder:
    """The event files at and below a folder, as they are now."""
    files = [path / name for name in EventFolders(path).find()]
    digest = hashlib.sha256()
    for file in files:
        try:
            state = file.lstat()
        except OSError:
            continue
        digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return LogFolder(path, files, digest.hexdigest())


def _walk(top: str) -> Iterator[tuple[str, bool]]:
    """Each folder, and whether it has event files; what lies below one that has is not walked."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        subfolders, has_events = [], False
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in SKIPPED and not entry.name.startswith("."):
                            subfolders.append(entry.path)
                    elif is_event_file(entry.name) and entry.is_file(follow_symlinks=False):
                        has_events = True
        except OSError:
            continue
        yield folder, has_events
        if not has_events:
            waiting += sorted(subfolders, reverse=True)
