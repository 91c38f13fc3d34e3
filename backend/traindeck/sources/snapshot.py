"""Take a project as it is at this moment.

Of a folder that is too large, take only the program and the files that it imports. They are found by parsing.
"""

import ast
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from traindeck.runner.program import Program
from traindeck.sources.blobs import Blobs
from traindeck.sources.project import MAX_BYTES, MAX_FILES, MAX_PROGRAM_BYTES, Found, project_files
from traindeck.sources.reads import Reads, Source, Unreadable
from traindeck.sources.tree import CodeFile, CodeTree, tree_of

MAX_ENTRY_BYTES = 10_000_000
SETTLED_NS = 2_000_000_000
"""A file that was changed a moment ago could be changed again in the same tick of its clock, of up to two seconds."""
MAX_KNOWN = 50_000
Signature = tuple[int, int, int, int, int]
MAX_PARSED_BYTES = 1_000_000
CPU_SECONDS = 0.2


class Snapshots:
    """Takes projects, and remembers by their signatures which files it has read already."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self._known: dict[str, tuple[Signature, str]] = {}

    def take(self, program: Program, reads: Reads | None = None) -> CodeTree | None:
        """The project of a path, a module or a command; every file of it is kept on return.

        `reads` has then what had to be read for it.

        None for what has no folder: a command without `cwd`.

        Raises:
            OSError: the script at its path cannot be read, or the disk is full.
        """
        reads = reads or Reads()
        if program.path is not None:
            # As Python does: what lies beside a link's target can be imported, not what lies beside the link.
            root, entry = os.path.split(os.path.realpath(program.path))
            return self._take(root, entry, reads)
        if program.cwd is None:
            return None
        root, module = os.path.realpath(program.cwd), program.module
        return self._take(root, module_file(root, module) if module else _first_file(root, program.command), reads)

    def still_same(self, tree: CodeTree) -> bool:
        """True where every file of the tree still has the same content on disk."""
        if tree.root is None:
            return False
        try:
            return all(self._digest(tree.root, one.path, Reads(), keep=False)[0] == one.sha256 for one in tree.files)
        except OSError:
            return False

    def _take(self, root: str, entry: str | None, reads: Reads) -> CodeTree:
        found = project_files(root)
        complete = found is not None
        if found is None:
            found = import_closure(root, entry, reads) if entry else []
        files: dict[str, CodeFile] = {}
        left = MAX_BYTES
        for one in found:
            # A file may have grown since it was found.
            file = self._optional(root, one, reads) if left >= 0 else None
            if file is not None:
                files[file.path] = file
                left -= file.size
        if entry and entry not in files:
            files[entry] = self._file(root, entry, reads)
        return tree_of(entry, root, files.values(), complete=complete and len(files) >= len(found))

    def _optional(self, root: str, found: Found, reads: Reads) -> CodeFile | None:
        try:
            return self._file(root, found.path, reads, found.info)
        except Unreadable:
            return None

    def _file(self, root: str, path: str, reads: Reads, info: os.stat_result | None = None) -> CodeFile:
        digest, info = self._digest(root, path, reads, info)
        return CodeFile(path, info.st_size, digest, info.st_mtime_ns, bool(info.st_mode & 0o100))

    def _digest(
        self, root: str, path: str, reads: Reads, info: os.stat_result | None = None, *, keep: bool = True
    ) -> tuple[str, os.stat_result]:
        whole = f"{root.rstrip('/')}/{path}"
        info = info or os.stat(whole)  # noqa: PTH116
        known = self._known.get(whole)
        if known and known[0] == _signature(info) and (not keep or self.blobs.holds(known[1])):
            return known[1], info
        source, info = reads.read(whole, MAX_ENTRY_BYTES)
        if keep:
            self.blobs.put(source)
        if reads.began_ns - max(info.st_mtime_ns, info.st_ctime_ns) > SETTLED_NS:
            self._remember(whole, _signature(info), source.sha256)
        return source.sha256, info

    def _remember(self, path: str, signature: Signature, digest: str) -> None:
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[path] = signature, digest


def _signature(info: os.stat_result) -> Signature:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _first_file(root: str, command: Iterable[str]) -> str | None:
    """What a command starts, where that is a file of the project: `train.py` of `torchrun --standalone train.py`."""
    for argument in command:
        whole = os.path.realpath(os.path.join(root, argument))  # noqa: PTH118
        inside = whole.startswith(root.rstrip("/") + "/")
        if inside and os.path.isfile(whole) and os.path.getsize(whole) <= MAX_PROGRAM_BYTES:  # noqa: PTH113, PTH202
            return os.path.relpath(whole, root)
    return None


@dataclass(frozen=True, slots=True)
class _ImportedName:
    """A module that is asked for: by its name, at so many levels above the package of who asks (0: from the root)."""

    name: str
    level: int


def import_closure(root: str, entry: str, reads: Reads) -> list[Found]:
    """The entry and all that it imports from below the root, directly or not; bounded as a project is.

    What is imported under a computed name is not found.
    """
    found: dict[str, Found] = {}
    waiting = [entry, *_packages(root, entry)]
    size, deadline = 0, time.thread_time() + CPU_SECONDS
    while waiting and len(found) < MAX_FILES and size < MAX_BYTES and time.thread_time() < deadline:
        path = waiting.pop()
        if path in found:
            continue  # Gone since, or too large to be code: the snapshot has what can be read.
        try:
            source, info = reads.read(os.path.join(root, path), MAX_PARSED_BYTES)  # noqa: PTH118
        except OSError:
            continue
        found[path] = Found(path, info)
        size += info.st_size
        if path.endswith(".py"):
            waiting.extend(_imported(root, path, source))
    return list(found.values())


def module_file(root: str, module: str) -> str | None:
    """The path below `root` of the file that `python -m MODULE` would start, or None where it is not there."""
    base = module.replace(".", "/")
    return next((path for path in (f"{base}.py", f"{base}/__main__.py") if _is_file(root, path)), None)


def _imported(root: str, path: str, source: Source) -> Iterator[str]:
    package = path.split("/")[:-1]
    for one in _imports(source):
        if one.level > len(package) + 1:
            continue
        # A program imports from its own folder; a module of a package, from the root and from its package.
        above = package[: len(package) - one.level + 1] if one.level else []
        parts = [*above, *one.name.split(".")] if one.name else above
        for end in range(1, len(parts) + 1):
            base = "/".join(parts[:end])
            yield from (file for file in (f"{base}/__init__.py", f"{base}.py") if _is_file(root, file))


def _packages(root: str, path: str) -> Iterator[str]:
    folder = path
    while folder := folder.rpartition("/")[0]:
        if _is_file(root, f"{folder}/__init__.py"):
            yield f"{folder}/__init__.py"


def _imports(source: Source) -> Iterator[_ImportedName]:
    try:
        tree = source.tree
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (_ImportedName(alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # What is imported from a package may be a module of it, or a name in it: both are looked for.
            base = node.module or ""
            yield _ImportedName(base, node.level)
            yield from (_ImportedName(f"{base}.{alias.name}".lstrip("."), node.level) for alias in node.names)


def _is_file(root: str, path: str) -> bool:
    whole = os.path.join(root, path)  # noqa: PTH118
    inside = os.path.realpath(whole).startswith(root.rstrip("/") + "/")
    return inside and os.path.isfile(whole)  # noqa: PTH113
