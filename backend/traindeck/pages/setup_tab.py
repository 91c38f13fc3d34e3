"""The Setup tab of a run's page: command, code, git, interpreter, packages, machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from traindeck.pages.installation import Fact, Package, Variable, machine_facts, packages_of, python_facts, variables_of
from traindeck.pages.numbers import show_bytes
from traindeck.pages.rendering import render
from traindeck.runs.view import CodeView, RecordView, RunView
from traindeck.wording import counted

FOLDED_FILES = 8
"""A longer list of files is folded."""
SHORT_HASH = 10
CHANGES = {True: "not committed", False: "all committed", None: "could not be read in time"}
READ_WITHIN = timedelta(seconds=60)
"""Facts that are missing after this time stay missing."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of the kept code; `url` returns its text."""

    path: str
    size: str
    url: str
    entry: bool


@dataclass(frozen=True, slots=True)
class CodeCard:
    """The kept code, and a note if it is incomplete."""

    facts: list[Fact]
    files: list[KeptFile]
    count: str
    folded: bool
    note: str


@dataclass(frozen=True, slots=True)
class GitCard:
    """The repository of the code. `diff_url` returns the uncommitted changes, and is "" if there were none."""

    facts: list[Fact]
    diff_url: str
    diff_note: str
    untracked: list[str]
    untracked_more: bool


@dataclass(frozen=True, slots=True)
class SetupContext:
    """What an attempt ran with; None means unknown.

    `pending` is True while parts are still being read, and `git_pending` while git is one of them.
    """

    url: str
    command: str
    start: str
    folder: str
    unchecked: str
    code: CodeCard | None
    git: GitCard | None
    python: list[Fact]
    machine: list[Fact]
    packages: list[Package] | None
    variables: list[Variable] | None
    masked: int
    begun: bool
    pending: bool
    git_pending: bool


def render_setup(run: RunView, record: RecordView, files: Iterable[tuple[str, int]], *, asks_git: bool = True) -> str:
    """Render the tab. `record` is the answer of `GET /runs/N/record`; `files` are the kept files with their bytes.

    `asks_git` is False if no facts of git are expected: there is no repository, or git has answered.
    """
    now = datetime.now(UTC)
    git_pending = asks_git and _git_pending(run, record, now)
    url = f"/runs/{run.id}"
    variables = variables_of(record.environment)
    context = SetupContext(
        url=url,
        command=record.command,
        start=record.start,
        folder=record.cwd or "",
        unchecked=record.unchecked or "",
        code=_code(url, record.code, list(files)),
        git=_git(url, record.git),
        python=python_facts(record.python, record.torch),
        machine=machine_facts(record.host),
        packages=packages_of(record.packages),
        variables=variables,
        masked=sum(variable.masked for variable in variables or []),
        begun=run.attempt > 0,
        pending=git_pending or _pending(run, record, now),
        git_pending=git_pending,
    )
    return render("run/setup.html", context)


def _code(url: str, code: CodeView | None, files: list[tuple[str, int]]) -> CodeCard | None:
    if code is None and not files:
        return None
    entry = code.entry if code else None
    ordered = sorted(files, key=lambda file: (file[0] != entry, file[0]))
    kept = [KeptFile(path, show_bytes(size), f"{url}/code/{quote(path)}", path == entry) for path, size in ordered]
    facts = [Fact("From", code.root)] if code and code.root else []
    if code and code.digest:
        facts.append(Fact("Digest", code.digest[:SHORT_HASH], f"{code.digest}: equal for equal code"))
    return CodeCard(
        facts=facts,
        files=kept,
        count=_count(files),
        folded=len(kept) > FOLDED_FILES,
        note=""
        if code is None or code.complete
        else "The folder is too large to keep. These are the script and the files that it imports from there.",
    )


def _count(files: list[tuple[str, int]]) -> str:
    total = show_bytes(sum(size for _, size in files))
    return f"{counted(len(files), 'file')}, {total}"


def _git(url: str, git: Mapping[str, Any] | None) -> GitCard | None:
    if not git:
        return None
    commit = git.get("commit")
    facts = [
        Fact("Commit", commit[:SHORT_HASH] if commit else "none yet", commit or ""),
        Fact("Branch", git.get("branch") or "none: detached"),
        Fact("Remote", git.get("remote") or ""),
        Fact("Folder", git.get("folder") or ""),
        Fact("Changes", CHANGES[git.get("dirty")]),
        Fact("Read", _clock(git.get("read_at"))),
    ]
    return GitCard(
        facts=[fact for fact in facts if fact.value],
        diff_url=f"{url}/diff" if git.get("diff_bytes") else "",
        diff_note="Only the beginning of the diff was kept." if git.get("diff_truncated") else "",
        untracked=list(git.get("untracked") or []),
        untracked_more=bool(git.get("untracked_truncated")),
    )


def _clock(at: str | None) -> str:
    return f"{at[:10]} {at[11:19]} UTC" if at else ""


def _pending(run: RunView, record: RecordView, now: datetime) -> bool:
    """Return whether missing facts of the machine may still come, because they are read after the start."""
    started = run.started_at
    begins = run.status.holds_slots if started is None else now - started < READ_WITHIN
    return record.recorded_at is None and begins


def _git_pending(run: RunView, record: RecordView, now: datetime) -> bool:
    """Return whether missing facts of git may still come, because git is read after the launch."""
    root = record.code and record.code.root
    return record.git is None and bool(root) and now - run.created_at < READ_WITHIN
