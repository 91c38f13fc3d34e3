"""The Setup tab of a run's page: command, code, git, interpreter, packages, machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from traindeck.pages.frontend import render
from traindeck.pages.numbers import show_bytes
from traindeck.runs.view import CodeView, GpuView, HostView, PackageView, PythonView, RecordView, RunView, TorchView
from traindeck.wording import counted

MASK = "***"
FOLDED_FILES = 8
"""A longer list of files is folded."""
SHORT_HASH = 10
CHANGES = {True: "not committed", False: "all committed", None: "could not be read in time"}
READ_WITHIN = timedelta(seconds=60)
"""Facts that are missing after this time stay missing."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a card; `title` is its tooltip."""

    name: str
    value: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; `origin` is its source, if that is not an index."""

    name: str
    version: str
    origin: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable; `masked` if its value is a secret, which the record does not contain."""

    name: str
    value: str
    masked: bool


def python_facts(python: PythonView | None, torch: TorchView | None) -> list[Fact]:
    """Return the known facts about the interpreter and its torch."""
    facts = []
    if python:
        facts.append(Fact("Python", f"{python.version} ({python.implementation})"))
        guessed = "The first one on the command's PATH. A shell script may start another one" if python.guessed else ""
        facts.append(Fact("Interpreter", python.executable, guessed))
    if torch:
        facts.append(Fact("torch", torch.version or "unknown"))
        facts.append(Fact("CUDA of torch", torch.cuda or "none: CPU only"))
        if torch.hip:
            facts.append(Fact("ROCm of torch", torch.hip))
    return facts


def machine_facts(host: HostView | None) -> list[Fact]:
    """Return the known facts about the machine, or none if it was not recorded."""
    if host is None:
        return []
    counts = [counted(count, noun) for count, noun in ((host.cpu_cores, "core"), (host.cpu_threads, "thread")) if count]
    facts = [
        Fact("Host", host.name),
        Fact("CPU", host.cpu),
        Fact("", ", ".join(counts)),
        Fact("Memory", show_bytes(host.memory_bytes)),
        *(_gpu(gpu) for gpu in host.gpus),
        Fact("GPU driver", host.gpu_driver or ""),
        Fact("System", host.os),
        Fact("Kernel", f"{host.kernel} {host.machine}"),
    ]
    if not host.gpus:
        facts.insert(4, Fact("GPU", "none"))
    return [fact for fact in facts if fact.value]


def _gpu(gpu: GpuView) -> Fact:
    held = ", held by this run" if gpu.held else ""
    return Fact(f"GPU {gpu.index}", f"{gpu.name}, {show_bytes(gpu.memory_bytes)}{held}")


def packages_of(packages: Iterable[PackageView] | None) -> list[Package] | None:
    """Return the installed packages, or None if they were not recorded."""
    if packages is None:
        return None
    return [Package(one.name, one.version, _origin(one)) for one in packages]


def _origin(package: PackageView) -> str:
    origin = package.origin or ""
    return f"editable {origin}".strip() if package.editable else origin


def variables_of(environment: Mapping[str, str] | None) -> list[Variable] | None:
    """Return the variables by name, or None if they were not recorded."""
    if environment is None:
        return None
    return [Variable(name, value, MASK in value) for name, value in sorted(environment.items())]


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
