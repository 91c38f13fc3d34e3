"""What was uploaded, until a run uses it: `HOME/uploads/DIGEST/`, as hard links to kept contents."""

import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traindeck.errors import FieldError, InvalidRequest
from traindeck.sources.archive import BadArchive, Unpacked, unpack
from traindeck.sources.blobs import Blobs, Reserve
from traindeck.sources.names import NotAName, checked_name, is_left_out, plain_name, without_top_folder
from traindeck.sources.project import folders_of
from traindeck.sources.tree import CodeFile, CodeTree, read_tree, tree_of
from traindeck.system.wholefiles import sync_folder, write_json

UNUSED_SECONDS = 86_400
INCOMING = ".incoming-"
DIGEST = re.compile(r"[0-9a-f]{64}")
MAIN = re.compile(rb"""^if\s+__name__\s*==\s*['"]__main__['"]""", re.MULTILINE)
MAX_ENTRIES_LISTED = 100
MAX_LOOKED_AT_BYTES = 2_000_000


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
