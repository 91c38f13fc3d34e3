"""Unpacks a zip that somebody sent: its names and its sizes are claims, and some are made to do harm."""

import os
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from traindeck.sources.blobs import Reserve
from traindeck.sources.names import NotAName, checked_name, is_left_out

MAX_ENTRIES = 5000
MAX_TOTAL_BYTES = 500_000_000
MAX_RATIO = 200
SMALL_BYTES = 10_000_000
"""What unpacks to less than this may be packed as tightly as it likes."""
MAX_DIRECTORY_BYTES = 4_000_000
CHUNK_BYTES = 262_144
ENCRYPTED = 0x1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BadArchive(ValueError):
    """The archive is refused; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file that was sent: its name, where it lies now, and whether it may be executed."""

    name: str
    path: Path
    executable: bool = False


def unpack(archive: Path, folder: Path, reserve: Reserve) -> list[Unpacked]:
    """Unpack all files into `folder`, under names of our own. Hidden files and what systems add are left out.

    Raises:
        NoRoom: what it says that it unpacks to does not fit on the disk beside the reserve.
        BadArchive: it is no zip, or broken, encrypted, too large, or has names that lead elsewhere.
    """
    allowed = min(MAX_TOTAL_BYTES, max(SMALL_BYTES, MAX_RATIO * archive.stat().st_size))
    found = []
    try:
        with archive.open("rb") as file, zipfile.ZipFile(_BoundedReads(file)) as opened:
            members = _members(opened)
            reserve.require(sum(one.file_size for one in members))
            for number, member in enumerate(members):
                path = folder / str(number)
                allowed -= _extract(opened, member, path, allowed)
                mode = member.external_attr >> 16
                found.append(Unpacked(checked_name(member.filename), path, bool(mode & 0o100)))
    except BadArchive:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError) as error:
        raise BadArchive("is not a zip that can be read: make it anew and send it again") from error
    return found


def _members(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files in an archive, once nothing in its directory speaks against it."""
    listed = opened.infolist()
    if len(listed) > MAX_ENTRIES:
        raise BadArchive(f"has {len(listed)} entries, and at most {MAX_ENTRIES} are unpacked: leave out data")
    for one in listed:
        _check(one)
    members = [one for one in listed if not one.is_dir() and not is_left_out(one.filename)]
    if sum(one.file_size for one in members) > MAX_TOTAL_BYTES:
        raise BadArchive(f"unpacks to more than {MAX_TOTAL_BYTES // 1_000_000} MB: leave out data")
    return members


def _check(member: zipfile.ZipInfo) -> None:
    try:
        # What zipfile makes of a name may hide what it was: the original has its NUL and its backslashes.
        checked_name(member.orig_filename.rstrip("/"))
    except NotAName as error:
        raise BadArchive(f"has an entry that cannot be unpacked: {error}") from error
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadArchive(f"has a link or a device, {member.filename[:200]!r}: send the file itself")
    if member.flag_bits & ENCRYPTED:
        raise BadArchive("is encrypted: send it without a password")
    if member.compress_type not in METHODS:
        raise BadArchive("is packed by a method that is not read here: make it with plain zip (deflate)")


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, allowed: int) -> int:
    """Unpack one file; its bytes, counted as they come, whatever the directory says."""
    written = 0
    with opened.open(member) as source, path.open("xb") as target:
        while chunk := source.read(CHUNK_BYTES):
            written += len(chunk)
            if written > allowed:
                raise BadArchive(
                    f"unpacks to far more than it is itself ({member.filename[:200]!r}): send it otherwise"
                )
            target.write(chunk)
    return written


class _BoundedReads:
    """A file that gives no more at once than the directory of a sensible archive has.

    zipfile reads the directory in one piece, of the size that the archive claims, and makes an object of each entry.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell = file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any file; a place before its beginning is the archive's fault, not the system's."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            raise zipfile.BadZipFile("a part of the archive is nowhere") from error

    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        left = os.fstat(self._file.fileno()).st_size - self._file.tell()
        if min(size if size >= 0 else left, left) > MAX_DIRECTORY_BYTES:
            raise BadArchive(f"has more than {MAX_ENTRIES} entries: leave out data")
        return self._file.read(size)

    def seekable(self) -> bool:
        """True: zipfile asks."""
        return True
