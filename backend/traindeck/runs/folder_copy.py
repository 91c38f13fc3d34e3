"""Copies a folder of event files into the deck: bounded in size and in time, without links, pipes and devices."""

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from traindeck.runner.copying import copy_data, is_on_kernel_device, open_regular
from traindeck.sources.blobs import Reserve

MAX_FILES = 100_000
MAX_DEPTH = 40
COPIED = ".copied"
"""What the name of a file ends in while it is copied: hidden, so that nothing reads it."""


class CopyRefused(ValueError):
    """A folder is not copied; the message says why, and what to do."""


class CopyUnfinished(Exception):
    """The time was up. What is copied stays, and the next copy of the same folder continues there."""


@dataclass(frozen=True, slots=True)
class CopyBounds:
    """What a copy may cost: bytes for one folder, the time until `deadline` (of time.monotonic), and the reserve."""

    limit_bytes: int
    deadline: float
    reserve: Reserve


def copy_folder(source: Path, target: Path, bounds: CopyBounds) -> None:
    """Copy the files in a folder and below it. Files that are there already, as long and as old, are not copied again.

    Links, hidden files, pipes, devices and what the kernel makes up are left out. A file that grows is copied up to the
    size that it had; holes stay holes.

    Raises:
        CopyRefused: it is too large, or a file of it takes too long.
        CopyUnfinished: the time is up.
        OSError: the disk has no room, or the folder cannot be read.
    """
    is_new = not target.exists()
    try:
        _Copying(source, target, bounds).all()
    except (CopyRefused, OSError):
        if is_new:
            shutil.rmtree(target, ignore_errors=True)
        raise


class _Copying:
    def __init__(self, source: Path, target: Path, bounds: CopyBounds) -> None:
        self.source, self.target, self.bounds = source, target, bounds
        self.bytes_left = bounds.limit_bytes
        self.files_left = MAX_FILES
        self.began_late = time.monotonic() > bounds.deadline
        self.progressed = False

    def all(self) -> None:
        """Copy every file, folder by folder."""
        waiting = [(".", 0)]
        while waiting:
            below, depth = waiting.pop()
            folders = self._folder(below)
            waiting += [(path, depth + 1) for path in folders if depth < MAX_DEPTH]

    def _folder(self, below: str) -> list[str]:
        """Copy the files of one folder; the paths of the folders in it."""
        target, folders = self.target / below, []
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.source / below, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    self._check_time(entry.name)
                    if entry.name.startswith(".") or entry.is_symlink():
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(f"{below}/{entry.name}")
                    elif entry.is_file(follow_symlinks=False):
                        self._file(descriptor, entry.name, self.source / below, target)
        finally:
            os.close(descriptor)
        return folders

    def _file(self, folder: int, name: str, source: Path, target: Path) -> None:
        try:
            reading = open_regular(name, dir_fd=folder, follow=False)
        except FileNotFoundError:
            return
        try:
            info = os.fstat(reading)
            own = target / name
            if _is_same(own, info) or is_on_kernel_device(info.st_dev, str(source / name)):
                return
            self.files_left -= 1
            if self.files_left < 0:
                raise CopyRefused(f"it has more than {MAX_FILES} files: import it without copy")
            self._copy(reading, info, own)
        finally:
            os.close(reading)
        self.progressed = True

    def _copy(self, reading: int, info: os.stat_result, own: Path) -> None:
        partial = own.with_name(f".{own.name[:200]}{COPIED}")
        writing = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            copy_data(reading, writing, info.st_size, lambda size: self._spend(size, own.name))
            os.utime(writing, ns=(info.st_mtime_ns, info.st_mtime_ns))
            os.replace(partial, own)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
        finally:
            os.close(writing)

    def _spend(self, size: int, name: str) -> None:
        self.bytes_left -= size
        if self.bytes_left < 0:
            limit = f"{self.bounds.limit_bytes // 1_000_000} MB (TRAINDECK_IMPORT_LIMIT_MB)"
            raise CopyRefused(f"it has more than {limit}: import it without copy")
        self.bounds.reserve.require(size)
        self._check_time(name)

    def _check_time(self, name: str) -> None:
        if time.monotonic() <= self.bounds.deadline:
            return
        if self.progressed or self.began_late:
            raise CopyUnfinished
        raise CopyRefused(f"{name} takes too long to copy: import the folder without copy")


def _is_same(own: Path, info: os.stat_result) -> bool:
    try:
        kept = own.lstat()
    except OSError:
        return False
    return (kept.st_size, kept.st_mtime_ns) == (info.st_size, info.st_mtime_ns)
