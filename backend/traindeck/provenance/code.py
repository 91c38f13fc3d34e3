"""The kept code of compared runs, against the first's."""

import time
from collections.abc import Mapping

from traindeck.runs.comparison import ComparedCode, ComparedFile
from traindeck.runs.files import RunFiles
from traindeck.sources.difference import KeptCode, code_difference
from traindeck.sources.kept import code_of

MAX_SECONDS = 2.0
"""Once so much time has gone into diffs, files that differ are only named."""


def compare_code(runs: Mapping[int, RunFiles]) -> list[ComparedCode]:
    """One entry for each run, by number, but the first; none where no run is of code."""
    kept = {number: _kept(files) for number, files in runs.items()}
    if not any(kept.values()):
        return []
    (against, first), *others = kept.items()
    deadline = time.monotonic() + MAX_SECONDS
    return [_pair(against, first, number, other, deadline) for number, other in others]


def _kept(files: RunFiles) -> KeptCode | None:
    tree = code_of(files.folder)
    return KeptCode(tree, files.folder) if tree is not None else None


def _pair(against: int, first: KeptCode | None, run: int, other: KeptCode | None, deadline: float) -> ComparedCode:
    if first is None or other is None:
        return ComparedCode(run=run, against=against, same=None)
    before, after = ({file.path: file.sha256 for file in kept.tree.files} for kept in (first, other))
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    if not paths:
        return ComparedCode(run=run, against=against, same=True)
    if time.monotonic() > deadline:
        return ComparedCode(run=run, against=against, same=False, more=len(paths))
    listed, _ = code_difference(first, other)
    files = [ComparedFile(path=one.path, status=one.status, diff=one.diff, cut=one.truncated) for one in listed]
    return ComparedCode(run=run, against=against, same=False, files=files, more=len(paths) - len(files))
