"""The code of compared runs: which files differ, and how."""

from dataclasses import dataclass

from traindeck.counting import plural
from traindeck.runs.comparison import ComparedCode, ComparedFile, Comparison

UNFOLDED_LINES = 60
"""A diff of so many lines is shown at once; a longer one is folded."""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file. `added` and `removed` count lines; `note` says why there is no more of a diff, or none."""

    path: str
    status: str
    diff: str
    added: int
    removed: int
    folded: bool
    note: str


@dataclass(frozen=True, slots=True)
class CodePair:
    """The code of one run against the first's. `note` stands where there is nothing to list, or more than is listed."""

    run: int
    against: int
    files: list[FileDiff]
    note: str


def code_pairs(comparison: Comparison) -> list[CodePair]:
    """One for each run but the first."""
    return [
        CodePair(pair.run, pair.against, [_file(file) for file in pair.files], _note(pair)) for pair in comparison.code
    ]


def _file(file: ComparedFile) -> FileDiff:
    lines = (file.diff or "").splitlines()
    body = [line for line in lines if not line.startswith(("+++", "---"))]
    note = "This is no text, or too long to be compared." if file.diff is None else ""
    return FileDiff(
        path=file.path,
        status=file.status,
        diff=file.diff or "",
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
        folded=len(lines) > UNFOLDED_LINES,
        note="The diff goes on; what is shown is its beginning." if file.cut else note,
    )


def _note(pair: ComparedCode) -> str:
    if pair.same is None:
        return "One of the two has kept no code."
    if pair.same:
        return "The same code, byte for byte."
    listed = "is not listed" if pair.more == 1 else "are not listed"
    return f"{pair.more:,} more {plural(pair.more, 'file')} {listed}." if pair.more else ""
