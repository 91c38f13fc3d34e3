"""Contents, each kept once under its SHA-256: `HOME/code/blobs/ab/abcd…`, read-only and never written twice.

A run has hard links to the contents that it uses, so the file system counts them: one with a single link is unused.
Where links cannot be made a run gets copies, and what is kept here is a cache.
"""

import errno
import hashlib
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from traindeck.errors import NoRoom
from traindeck.runner.copying import copy_file, free_bytes
from traindeck.sources.reads import Source

UNUSED_SECONDS = 3600
"""How long an unlinked content is kept: a launch may be about to link it."""
MAX_VERIFIED = 200_000
COPY_INSTEAD = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
Signature = tuple[int, int, int]


class BlobMissing(OSError):
    """A content is not kept here, or not any more."""


class Reserve:
    """What stays free of the disk that a folder lies on."""

    def __init__(self, folder: Path, reserve_bytes: int = 0) -> None:
        self.folder = folder
        self.bytes = reserve_bytes

    def require(self, size: int) -> None:
        """Raise NoRoom where so many bytes more would not leave the reserve."""
        if self.bytes and free_bytes(self.folder, self.bytes) < size:
            raise NoRoom(self.bytes)


class Blobs:
    """The contents of one deck. Safe to use from several threads of one process."""

    def __init__(self, folder: Path, reserve_bytes: int = 0) -> None:
        self.folder = folder / "blobs"
        self.partial = folder / "partial"
        self.reserve = Reserve(self.partial, reserve_bytes)
        self._verified: dict[str, Signature] = {}
        # Held from the look at a content's links to its removal, and while it is marked as wanted.
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the folders, and drop what a write that was cut off has left."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self.partial, ignore_errors=True)
        self.partial.mkdir(mode=0o700, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Where a content lies."""
        return self.folder / digest[:2] / digest

    def temporary(self) -> Path:
        """A path for a file that `adopt` takes later."""
        return self.partial / secrets.token_hex(8)

    def put_bytes(self, content: bytes) -> str:
        """Keep a content; its digest. It is on disk on return.

        Raises:
            OSError: the disk is full, or the home is gone.
        """
        source = Source(content)
        self.put(source)
        return source.sha256

    def put(self, source: Source) -> None:
        """Keep what was read of a file; as `put_bytes`."""
        if not self.holds(source.sha256):
            self.reserve.require(len(source.content))
            path = self.temporary()
            try:
                path.write_bytes(source.content)
                self._take(path, source.sha256)
            except OSError:
                path.unlink(missing_ok=True)
                raise

    def put_file(self, path: Path) -> str:
        """Keep what is in a file; its digest. The file may be of any size, and stays."""
        copy = self.temporary()
        self.reserve.require(path.stat().st_size)
        try:
            copy_file(path, copy)
            return self.adopt(copy)
        except OSError:
            copy.unlink(missing_ok=True)
            raise

    def adopt(self, path: Path) -> str:
        """Keep a file of our own, which is moved or removed; the digest of its content."""
        digest = _digest(path)
        if self.holds(digest):
            path.unlink()
        else:
            self._take(path, digest)
        return digest

    def holds(self, digest: str) -> bool:
        """True where the content is kept, and undamaged; then it stays for long enough to link it."""
        # A string, not a path: a launch asks for every file of a project.
        signature = self._want(f"{self.folder}/{digest[:2]}/{digest}")
        if signature is None or self._verified.get(digest) == signature:
            return signature is not None
        try:
            sound = _digest(self.path(digest)) == digest
        except OSError:
            return False
        if sound:
            self._remember(digest, signature)
        return sound

    def link(self, digest: str, target: Path) -> None:
        """Put a content at `target`, where nothing may be yet.

        Raises:
            BlobMissing: the content is not kept.
            OSError: the disk is full, or there is something at the target.
        """
        blob = self.path(digest)
        try:
            os.link(blob, target)
        except FileNotFoundError as error:
            if blob.exists():
                raise
            raise BlobMissing(errno.ENOENT, "is not kept any more", digest) from error
        except OSError as error:
            if error.errno not in COPY_INSTEAD:
                raise
            if error.errno == errno.EMLINK:
                # ext4 counts to 65,000: from here on, another file has the same content.
                self._renew(digest)
                os.link(blob, target)
            else:
                _copy(blob, target)

    def open(self, digest: str) -> BinaryIO | None:
        """A content to read, or None where it is not kept."""
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            return None

    def sweep(self, unused_seconds: float = UNUSED_SECONDS) -> int:
        """Remove the contents that have been unused for a while; return how many."""
        removed = 0
        for path in _files(self.folder):
            # Gone since, or not ours to remove: it stays for the next sweep.
            with suppress(OSError), self._lock:
                info = path.lstat()
                # Linking, unlinking and `_want` set the change time, which no program can set back.
                if info.st_nlink == 1 and time.time() - info.st_ctime >= unused_seconds:
                    path.unlink()
                    self._verified.pop(path.name, None)
                    removed += 1
        return removed

    def _want(self, path: str) -> Signature | None:
        with self._lock:
            try:
                info = os.lstat(path)
                if info.st_nlink == 1:
                    os.utime(path, ns=(time.time_ns(), info.st_mtime_ns))
            except OSError:
                return None
        return _signature(info) if stat.S_ISREG(info.st_mode) else None

    def _take(self, path: Path, digest: str) -> None:
        target = self.path(digest)
        path.chmod(0o444)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        target.parent.mkdir(mode=0o700, exist_ok=True)
        # The name is not brought to disk: a run has its own, and what has none is made again.
        os.replace(path, target)
        self._remember(digest, _signature(target.lstat()))

    def _renew(self, digest: str) -> None:
        copy = self.temporary()
        try:
            copy_file(self.path(digest), copy)
            self._take(copy, digest)
        except OSError:
            copy.unlink(missing_ok=True)
            raise

    def _remember(self, digest: str, signature: Signature) -> None:
        if len(self._verified) >= MAX_VERIFIED:
            self._verified.clear()
        self._verified[digest] = signature


def _signature(info: os.stat_result) -> Signature:
    return info.st_ino, info.st_size, info.st_mtime_ns


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(blob: Path, target: Path) -> None:
    partial = target.with_name(f".{secrets.token_hex(8)}")
    try:
        copy_file(blob, partial)
        partial.chmod(0o444)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, target)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _files(folder: Path) -> Iterator[Path]:
    for number in range(256):
        # Most of the folders do not exist before a content needs them.
        with suppress(OSError):
            yield from (folder / f"{number:02x}").iterdir()
