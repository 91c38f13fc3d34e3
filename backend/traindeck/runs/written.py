"""List and open the files that a run wrote in its working folder, without following links out of it."""

import math
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from traindeck.runs.files import read_json

CHECKPOINT_SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors", ".pth.tar")
INPUTS = "inputs.json"
"""The file beside the working folder that lists what was copied into it at the start."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A regular file: its path in the working folder, its size in bytes, and when it was written."""

    path: str
    size: int
    modified_ns: int
    checkpoint: bool

    @property
    def modified(self) -> float:
        """Return the time of modification in seconds since the epoch."""
        return self.modified_ns / 1e9


def list_written(work: Path, limit: int) -> tuple[list[WrittenFile], bool]:
    """Return at most `limit` files, checkpoints first, and whether there are more. See `walk_written`."""
    found: list[WrittenFile] = []
    for file in walk_written(work):
        if len(found) == limit:
            return _ordered(found), True
        found.append(file)
    return _ordered(found), False


def open_written(work: Path, path: str) -> BinaryIO | None:
    """Open the file at `path` in the working folder; None if there is no readable file.

    Each part is opened relative to the descriptor of the one before, and none may be a link. So nothing can be replaced
    by a link between check and use.
    """
    parts = path.split("/")
    if not all(_may_be_read(part) for part in parts):
        return None
    try:
        folder = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    return _descend(folder, parts)


def _descend(folder: int, parts: list[str]) -> BinaryIO | None:
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Without O_NONBLOCK, opening a FIFO would wait for a writer.
        file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except (OSError, ValueError):
        return None
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        return None
    return os.fdopen(file, "rb")


def _ordered(files: list[WrittenFile]) -> list[WrittenFile]:
    return sorted(files, key=lambda file: (not file.checkpoint, -file.modified if file.checkpoint else 0, file.path))


def walk_written(
    work: Path, wanted: Callable[[str], bool] | None = None, until: float = math.inf
) -> Iterator[WrittenFile]:
    """Yield every file except hidden ones, links, and unchanged copies of the user's files.

    Args:
        wanted: Selects files by name. Other files are skipped without a stat.
        until: When to stop, on the monotonic clock.
    """
    inputs = _inputs(work)
    # A list instead of recursion, because a run may nest a thousand folders.
    waiting = [] if work.is_symlink() else [("", work)]
    while waiting and time.monotonic() < until:
        prefix, folder = waiting.pop()
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{prefix}{entry.name}/", Path(entry.path)))
                continue
            if wanted is not None and not wanted(entry.name):
                continue
            file = _file(entry, prefix) if entry.is_file(follow_symlinks=False) else None
            if file is not None and inputs.get(file.path) != [file.size, file.modified_ns]:
                yield file


def _inputs(work: Path) -> dict[str, Any]:
    """Return size and modification time of each file that was copied into the working folder, by path."""
    return read_json(work.with_name(INPUTS)) or {}


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if _may_be_read(entry.name)), key=lambda entry: entry.name)
    except OSError:
        return []


def _file(entry: os.DirEntry[str], prefix: str) -> WrittenFile | None:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:
        return None  # Deleted since the folder was read.
    is_checkpoint = entry.name.endswith(CHECKPOINT_SUFFIXES)
    return WrittenFile(f"{prefix}{entry.name}", info.st_size, info.st_mtime_ns, is_checkpoint)


def _may_be_read(name: str) -> bool:
    if not name or name.startswith(".") or "\0" in name or "\\" in name:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
