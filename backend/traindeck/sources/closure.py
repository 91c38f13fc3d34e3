"""The files below a folder that a program imports, found by reading it: nothing is run."""

import ast
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from traindeck.sources.project import MAX_BYTES, MAX_FILES, Found
from traindeck.sources.reads import Reads, Source

MAX_PARSED_BYTES = 1_000_000
CPU_SECONDS = 0.2


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
            continue
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
