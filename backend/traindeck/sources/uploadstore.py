"""Keep uploads until a run uses them: `HOME/uploads/DIGEST/`, as hard links to kept contents.

Names and sizes in a request and in a zip are untrusted. They are checked before they are used.
"""

import json
import os
import re
import secrets
import shutil
import stat
import struct
import threading
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from traindeck.errors import FieldError, InvalidRequest
from traindeck.sources.blobs import Blobs, Reserve
from traindeck.sources.project import folders_of
from traindeck.sources.tree import CodeFile, CodeTree, read_tree, tree_of
from traindeck.system.wholefiles import sync_folder, write_json

MAX_CHARACTERS = 500
MAX_PART_BYTES = 200
MAX_DEPTH = 20
LEFT_OUT = frozenset({"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"})
ODD = re.compile(r"[^\w.+=@,\- ]")
MAX_ENTRIES = 5000
MAX_TOTAL_BYTES = 500_000_000
MAX_RATIO = 200
SMALL_BYTES = 10_000_000
"""What unpacks to less than this may be packed as tightly as it likes."""
MAX_DIRECTORY_BYTES = 4_000_000
CHUNK_BYTES = 262_144
ENCRYPTED = 0x1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNUSED_SECONDS = 86_400
INCOMING = ".incoming-"
DIGEST = re.compile(r"[0-9a-f]{64}")
MAIN = re.compile(rb"""^if\s+__name__\s*==\s*['"]__main__['"]""", re.MULTILINE)
MAX_ENTRIES_LISTED = 100
MAX_LOOKED_AT_BYTES = 2_000_000


class NotAName(ValueError):
    """A name that leads elsewhere, or that no file can have; the message says what is wrong."""


def checked_name(name: str) -> str:
    """A relative path as it was sent, joined by "/".

    Raises:
        NotAName: it is absolute, leads upwards, has an odd character, or is too long.
    """
    parts = name.removeprefix("./").split("/")
    if name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name):
        raise NotAName(f"{name[:200]!r} is no relative path with / between its parts")
    if not all(part and part not in (".", "..") for part in parts):
        raise NotAName(f"{name[:200]!r} leads out of the folder, or nowhere")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") for character in name):
        raise NotAName(f"{name[:200]!r} has characters that are no text")
    long = any(len(part.encode()) > MAX_PART_BYTES for part in parts)
    if long or len(name) > MAX_CHARACTERS or len(parts) > MAX_DEPTH:
        raise NotAName(f"{name[:200]!r} is too long, or too deep")
    return "/".join(parts)


def is_left_out(name: str) -> bool:
    """True for hidden files, and for what systems put beside files."""
    return any(part.startswith(".") or part in LEFT_OUT for part in name.removeprefix("./").split("/"))


def plain_name(name: str) -> str:
    """A name of our own for a single file, as near as is safe to the one that it was sent with."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = ODD.sub("_", unicodedata.normalize("NFC", last)).strip()
    if plain.startswith((".", "-")):
        plain = f"_{plain[1:]}"
    stem, dot, suffix = plain.rpartition(".")
    if len(plain.encode()) > MAX_PART_BYTES:
        plain = f"{stem[:40]}{dot}{suffix[-10:]}"
    return plain or "file"


def without_top_folder(names: list[str]) -> dict[str, str]:
    """Each name with its new one: without the folder that all lie in, unless that is a package to import."""
    tops = {name.partition("/")[0] for name in names}
    (top, *others) = tops or {""}
    if others or top in names or f"{top}/__init__.py" in names:
        return {name: name for name in names}
    return {name: name.partition("/")[2] for name in names}


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


@dataclass(frozen=True, slots=True)
class Part:
    """A file as it was sent: under which name, and where it was written down."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload: its files, and which of them may be started, the likeliest first.

    `mains` has those of them that are written to be started.
    """

    tree: CodeTree
    entries: list[str]
    mains: list[str]


class Uploads:
    """The uploads of one deck. Two of equal content are one."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self.folder = folder
        self.blobs = blobs
        # Held from the look at an upload's age to its removal, and while it is marked as used.
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the folder, and drop what was being received when the last server ended."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self.folder.glob(f"{INCOMING}*"):
            shutil.rmtree(left, ignore_errors=True)

    def incoming(self) -> Path:
        """Make a folder to receive parts in; the caller removes it."""
        folder = self.folder / f"{INCOMING}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        return folder

    def keep(self, parts: Sequence[Part], incoming: Path) -> Upload:
        """Keep what was received: one file, what is in one zip, or several files with relative names.

        It is on disk on return.

        Raises:
            InvalidRequest: a name or the zip is refused; nothing was kept.
            OSError: the disk is full.
        """
        files = _files(parts, incoming, self.blobs.reserve)
        if not files:
            raise _refused("has no files: send at least one")
        new = without_top_folder([file.name for file in files])
        entries, mains = _entries({new[file.name]: file.path for file in files})
        written = time.time_ns()
        kept = []
        for file in files:
            size = file.path.stat().st_size
            digest = self.blobs.adopt(file.path)
            kept.append(CodeFile(new[file.name], size, digest, written, file.executable))
        upload = Upload(tree_of(None, None, kept), entries, mains)
        self._place(upload, incoming)
        return upload

    def find(self, digest: str) -> Upload | None:
        """The upload, which then stays for another day, or None where there is none (any more)."""
        manifest = self._manifest(digest)
        with self._lock:
            tree = read_tree(manifest) if DIGEST.fullmatch(digest) and (self.folder / digest).is_dir() else None
            if tree is None or not all(self.blobs.holds(file.sha256) for file in tree.files):
                return None
            manifest.touch()
        content = json.loads(manifest.read_bytes())
        return Upload(tree, content["entries"], content["mains"])

    def sweep(self, unused_seconds: float = UNUSED_SECONDS) -> int:
        """Remove the uploads that were not used for a day; how many. Runs have links of their own."""
        removed = 0
        for manifest in self.folder.glob("*.json"):
            # Gone since, or not ours to remove: it stays for the next sweep.
            with suppress(OSError), self._lock:
                if time.time() - manifest.stat().st_mtime >= unused_seconds:
                    manifest.unlink()
                    shutil.rmtree(manifest.with_suffix(""), ignore_errors=True)
                    removed += 1
        for folder in self.folder.iterdir():
            with self._lock:
                if DIGEST.fullmatch(folder.name) and not self._manifest(folder.name).exists():
                    shutil.rmtree(folder, ignore_errors=True)
        return removed

    def _manifest(self, digest: str) -> Path:
        return self.folder / f"{digest}.json"

    def _place(self, upload: Upload, incoming: Path) -> None:
        tree, linked = upload.tree, incoming / "linked"
        linked.mkdir()
        folders = folders_of(file.path for file in tree.files)
        for folder in folders:
            (linked / folder).mkdir()
        for file in tree.files:
            self.blobs.link(file.sha256, linked / file.path)
        for folder in [*folders, ""]:
            sync_folder(linked / folder)
        with self._lock:
            # It may be there from an equal upload.
            if not (self.folder / tree.digest).is_dir():
                linked.rename(self.folder / tree.digest)
            content: dict[str, Any] = {**tree.as_json(), "entries": upload.entries, "mains": upload.mains}
            write_json(self._manifest(tree.digest), content)
        sync_folder(self.folder)


def tree_to_run(upload: Upload | None, entry: str | None) -> CodeTree:
    """The files of an upload, with the one that is to be started.

    Raises:
        InvalidRequest: the upload is gone, or it does not say which file to start.
    """
    if upload is None:
        message = "script.upload is none that the deck has: what no run uses goes after a day. Send the files again"
        raise InvalidRequest([FieldError("script.upload", message)])
    tree = upload.tree
    if entry is None:
        candidates = upload.mains if len(upload.mains) == 1 else upload.entries
        if len(candidates) != 1:
            there = f"one of {', '.join(upload.entries[:20])}" if upload.entries else "the upload has no Python file"
            raise InvalidRequest([FieldError("script.entry", f"script.entry says which file to start: {there}")])
        entry = candidates[0]
    if tree.find(entry) is None:
        message = f"script.entry {entry!r} is not in the upload; it may be {', '.join(upload.entries[:20])}"
        raise InvalidRequest([FieldError("script.entry", message)])
    return tree_of(entry, None, tree.files)


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest([FieldError("file", f"the upload {message}")])


def _files(parts: Sequence[Part], incoming: Path, reserve: Reserve) -> list[Unpacked]:
    try:
        if len(parts) != 1:
            named = [Unpacked(checked_name(part.name), part.path) for part in parts]
            found = [file for file in named if not is_left_out(file.name)]
        elif parts[0].name.lower().endswith(".zip"):
            (incoming / "unpacked").mkdir()
            found = unpack(parts[0].path, incoming / "unpacked", reserve)
        else:
            found = [Unpacked(plain_name(parts[0].name), parts[0].path)]
    except NotAName as error:
        raise _refused(f"has a name that cannot be kept: {error}") from error
    except BadArchive as error:
        raise _refused(str(error)) from error
    _check_together([file.name for file in found])
    return found


def _check_together(names: list[str]) -> None:
    """Refuse names that cannot all be there: one twice, or one that is a folder of another."""
    files, folders = set(names), set(folders_of(iter(names)))
    if len(files) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _refused(f"has two files called {twice!r}: rename one")
    if both := files & folders:
        raise _refused(f"has a file and a folder called {min(both)!r}: rename one")


def _entries(files: dict[str, Path]) -> tuple[list[str], list[str]]:
    """The Python files that may be started, the likeliest first; and those of them that are written to be."""
    programs = [name for name in files if name.endswith(".py") and not name.endswith("__init__.py")]
    programs = [name for name in programs if "/" not in name] or programs
    mains = {name for name in programs if _is_main(files[name])}
    ordered = sorted(programs, key=lambda name: (name not in mains, name.count("/"), name))[:MAX_ENTRIES_LISTED]
    return ordered, [name for name in ordered if name in mains]


def _is_main(path: Path) -> bool:
    with path.open("rb") as file:
        return MAIN.search(file.read(MAX_LOOKED_AT_BYTES)) is not None
