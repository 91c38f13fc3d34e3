"""What differs between the code of two runs, file by file, as unified diffs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from typing import Literal

from traindeck.runner.outside import read_bytes
from traindeck.sources.runcode import CODE
from traindeck.sources.tree import CodeTree

MAX_FILES = 200
MAX_TEXT_BYTES = 256_000
MAX_DIFF_CHARACTERS = 100_000
MAX_PAIRS = 50_000
"""Pairs of equal lines that difflib may have to look at: beyond, it could take minutes."""


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A file that is not the same in both; `diff` is None for what is no text, or too much of it.

    `truncated` is True if the diff is longer.
    """

    path: str
    status: Literal["added", "removed", "changed"]
    diff: str | None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class KeptCode:
    """The code of a run: its tree, and the run's folder, where the files lie."""

    tree: CodeTree
    run_folder: Path

    def lines(self, path: str) -> list[str] | None:
        """The lines of a file; [] where there is none; None for what is no text, or too much of it."""
        file = self.tree.find(path)
        if file is None:
            return []
        if file.size > MAX_TEXT_BYTES:
            return None
        content = read_bytes(self.run_folder / CODE / path, MAX_TEXT_BYTES)
        if content is None or b"\0" in content:
            return None
        try:
            return StringIO(content.decode(), newline=None).readlines()
        except ValueError:
            return None


def code_difference(before: KeptCode, after: KeptCode) -> tuple[list[FileDifference], bool]:
    """The files that differ, by path; True where there are more than are listed."""
    digests = [{file.path: file.sha256 for file in one.tree.files} for one in (before, after)]
    paths = sorted(path for path in {*digests[0], *digests[1]} if digests[0].get(path) != digests[1].get(path))
    return [_difference(path, before, after) for path in paths[:MAX_FILES]], len(paths) > MAX_FILES


def _difference(path: str, before: KeptCode, after: KeptCode) -> FileDifference:
    old, new = before.lines(path), after.lines(path)
    status: Literal["added", "removed", "changed"] = "changed"
    if before.tree.find(path) is None:
        status = "added"
    elif after.tree.find(path) is None:
        status = "removed"
    if old is None or new is None or _pairs(old, new) > MAX_PAIRS:
        return FileDifference(path, status, None)
    names = ("/dev/null" if status == "added" else f"a/{path}", "/dev/null" if status == "removed" else f"b/{path}")
    diff = "".join(_ended(unified_diff(old, new, *names)))
    return FileDifference(path, status, diff[:MAX_DIFF_CHARACTERS], len(diff) > MAX_DIFF_CHARACTERS)


def _pairs(old: list[str], new: list[str]) -> int:
    """How many pairs of equal lines there are that difflib does not leave out as popular."""
    there = Counter(new)
    popular = len(new) // 100 + 1 if len(new) >= 200 else len(new)
    return sum(count * there[line] for line, count in Counter(old).items() if there[line] <= popular)


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
