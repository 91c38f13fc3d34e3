"""A project as it was at one moment: which files it had, and the digests of what was in them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traindeck.runner.outside import read_object

MANIFEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class CodeFile:
    """One file: its path below the root (parts joined by "/"), bytes, SHA-256, and when it was written."""

    path: str
    size: int
    sha256: str
    mtime_ns: int
    executable: bool = False

    def as_json(self) -> dict[str, Any]:
        """An entry of a manifest."""
        content = {"path": self.path, "size": self.size, "sha256": self.sha256, "mtime_ns": self.mtime_ns}
        return {**content, "executable": True} if self.executable else content


@dataclass(frozen=True, slots=True)
class CodeTree:
    """The files of a project, by path.

    Attributes:
        entry: The path of the file that is started; None where it is not one of the files.
        root: The folder that they were read from; None where they were sent.
        complete: False where the folder was too large, and only what the entry imports was kept.
        digest: Of all paths and contents: equal for equal code, wherever it lies and whenever it was written.
    """

    entry: str | None
    root: str | None
    files: tuple[CodeFile, ...]
    complete: bool
    digest: str

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def find(self, path: str) -> CodeFile | None:
        """The file at a path."""
        return next((file for file in self.files if file.path == path), None)

    def as_json(self) -> dict[str, Any]:
        """The content of a manifest."""
        return {
            "version": MANIFEST_VERSION,
            "digest": self.digest,
            "entry": self.entry,
            "root": self.root,
            "files": [file.as_json() for file in self.files],
            "bytes": self.size,
            "complete": self.complete,
        }


def tree_of(entry: str | None, root: str | None, files: Iterable[CodeFile], *, complete: bool = True) -> CodeTree:
    """A tree of these files, with its digest."""
    ordered = tuple(sorted(files, key=lambda file: file.path))
    content = "".join(f"{file.path}\0{file.sha256}\0" for file in ordered)
    return CodeTree(entry, root, ordered, complete, hashlib.sha256(content.encode()).hexdigest())


def read_tree(manifest: Path) -> CodeTree | None:
    """The tree that a manifest describes, or None where there is none that can be read."""
    try:
        return _tree(read_object(manifest) or {})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _tree(content: Mapping[str, Any]) -> CodeTree:
    files = tuple(CodeFile(**one) for one in content["files"])
    texts = [content["digest"], *(text for file in files for text in (file.path, file.sha256))]
    texts += [content[name] for name in ("entry", "root") if content[name] is not None]
    if not all(isinstance(one, str) for one in texts) or not all(type(file.size) is int for file in files):
        raise TypeError("a field of the manifest has another type")
    return CodeTree(content["entry"], content["root"], files, bool(content["complete"]), content["digest"])
