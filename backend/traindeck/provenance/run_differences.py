"""Compare runs: parameters, metrics, code, packages and hosts."""

import math
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from traindeck.runner.outside import read_bytes
from traindeck.runs.comparison import (
    ComparedCode,
    ComparedFile,
    ComparedMetric,
    ComparedMetrics,
    ComparedRow,
    ComparedRows,
    ComparedRun,
    Comparison,
)
from traindeck.runs.directions import Better, direction
from traindeck.runs.files import RunFiles
from traindeck.runs.view import HostView, MetricView, PackageView, RecordView, RunView
from traindeck.sources.runcode import CODE, code_of
from traindeck.sources.tree import CodeTree

GIT_FACTS = ("commit", "branch", "dirty", "remote", "folder", "untracked", "diff_bytes")
DIFF_SECONDS = 2.0
"""After this time, files that differ are counted and no longer compared line by line."""
MAX_FILES = 200
MAX_TEXT_BYTES = 256_000
MAX_DIFF_CHARACTERS = 100_000
MAX_PAIRS = 50_000
"""Pairs of equal lines that difflib may have to look at: beyond, it could take minutes."""
MAX_ROWS = 2000
NOTHING_SAID: Mapping[str, Better] = {}
MAX_METRICS = 1000
MAX_DEPTH = 8
MAX_VALUE_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Compared:
    """One run of a comparison. `program` is the name of its program."""

    run: RunView
    record: RecordView
    files: RunFiles
    program: str


def compare(
    compared: Sequence[Compared], now: datetime | None = None, said: Mapping[str, Better] | None = None
) -> Comparison:
    """Compare the runs in this order; the code of each is compared with that of the first.

    `said` has the user's choices of which way scalars are better.
    """
    now = now or datetime.now(UTC)
    records = [one.record for one in compared]
    return Comparison(
        runs=[_column(one, now) for one in compared],
        params=compare_rows([flatten(one.run.params) for one in compared]),
        metrics=compare_metrics([one.run.metrics for one in compared], said or {}),
        script=compare_rows([_start(one.run) for one in compared]),
        code=compare_code({one.run.id: one.files for one in compared}),
        git=compare_rows([_git(record.git) for record in records]),
        packages=compare_rows([_packages(record.packages) for record in records], equal=False),
        environment=compare_rows([record.environment for record in records], equal=False),
        host=compare_rows([_machine(record) for record in records]),
        resources=compare_rows([_resources(one.run) for one in compared]),
    )


def _column(one: Compared, now: datetime) -> ComparedRun:
    run = one.run
    seconds = ((run.finished_at or now) - run.started_at).total_seconds() if run.started_at else None
    return ComparedRun(
        id=run.id,
        name=run.name,
        status=run.status,
        status_reason=run.status_reason,
        program=one.program,
        tags=run.tags,
        attempt=run.attempt,
        rerun_of=run.rerun_of,
        code_digest=run.code_digest,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        seconds=seconds,
    )


def _start(run: RunView) -> dict[str, Any]:
    script = run.script
    if script is None:
        return {"trainer": run.trainer}
    facts = {
        "kind": script.kind,
        "script": script.path or script.filename,
        "module": script.module,
        "command": shlex.join(script.command) or None,
        "arguments": shlex.join(script.args) or None,
        "folder": script.cwd,
        "interpreter": script.python,
        "start": run.start,
        "resume option": script.resume_arg,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _git(git: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if git is None else {name: git[name] for name in GIT_FACTS if git.get(name) is not None}


def _packages(packages: Sequence[PackageView] | None) -> dict[str, str] | None:
    return None if packages is None else {one.name: _release(one) for one in packages}


def _release(package: PackageView) -> str:
    if package.origin is None:
        return package.version
    return f"{package.version} ({'editable, ' if package.editable else ''}{package.origin})"


def _machine(record: RecordView) -> dict[str, Any] | None:
    if record.host is None and record.python is None:
        return None
    facts: dict[str, Any] = _host(record.host) if record.host else {}
    if record.python is not None:
        facts |= {"Python": f"{record.python.implementation} {record.python.version}"}
        facts |= {"Python at": record.python.executable}
    if record.torch is not None:
        facts |= {"torch": record.torch.version, "torch's CUDA": record.torch.cuda, "torch's HIP": record.torch.hip}
    return {name: value for name, value in facts.items() if value is not None}


def _host(host: HostView) -> dict[str, Any]:
    held = [gpu.name for gpu in host.gpus if gpu.held]
    return {
        "host": host.name,
        "system": host.os,
        "kernel": f"{host.kernel} {host.machine}",
        "CPU": host.cpu,
        "CPU threads": host.cpu_threads,
        "memory": f"{host.memory_bytes / 2**30:.1f} GiB",
        "GPUs": _counted([gpu.name for gpu in host.gpus]),
        "GPUs held": _counted(held),
        "GPU driver": host.gpu_driver,
    }


def _counted(names: Sequence[str]) -> str | None:
    return ", ".join(f"{names.count(name)} × {name}" for name in dict.fromkeys(names)) or None


def _resources(run: RunView) -> dict[str, Any]:
    return {**run.resources.model_dump(), "priority": run.priority, "max_retries": run.max_retries}


@dataclass(frozen=True, slots=True)
class KeptCode:
    """The code of a run: its tree, and the folder of the run."""

    tree: CodeTree
    run_folder: Path

    def lines(self, path: str) -> list[str] | None:
        """Return the lines of a file: [] if it does not exist, None if it is not text or too long."""
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


def compare_code(runs: Mapping[int, RunFiles]) -> list[ComparedCode]:
    """Compare the code of each other run with that of the first. Return nothing if no run has code."""
    kept = {number: _kept_code(files) for number, files in runs.items()}
    if not any(kept.values()):
        return []
    (against, first), *others = kept.items()
    deadline = time.monotonic() + DIFF_SECONDS
    return [_compare_pair(against, first, number, other, deadline) for number, other in others]


def _kept_code(files: RunFiles) -> KeptCode | None:
    tree = code_of(files.folder)
    return KeptCode(tree, files.folder) if tree is not None else None


def _compare_pair(
    against: int, first: KeptCode | None, run: int, other: KeptCode | None, deadline: float
) -> ComparedCode:
    if first is None or other is None:
        return ComparedCode(run=run, against=against, same=None)
    files, more = code_difference(first, other, deadline)
    return ComparedCode(run=run, against=against, same=not files and not more, files=files, more=more)


def code_difference(before: KeptCode, after: KeptCode, deadline: float = math.inf) -> tuple[list[ComparedFile], int]:
    """Return the files that differ, by path, and how many more there are; after the deadline, only their number."""
    digests = [{file.path: file.sha256 for file in one.tree.files} for one in (before, after)]
    paths = sorted(path for path in {*digests[0], *digests[1]} if digests[0].get(path) != digests[1].get(path))
    listed = paths[:MAX_FILES] if time.monotonic() <= deadline else []
    return [_difference(path, before, after) for path in listed], len(paths) - len(listed)


def _difference(path: str, before: KeptCode, after: KeptCode) -> ComparedFile:
    old, new = before.lines(path), after.lines(path)
    status: Literal["added", "removed", "changed"] = "changed"
    if before.tree.find(path) is None:
        status = "added"
    elif after.tree.find(path) is None:
        status = "removed"
    if old is None or new is None or _pairs(old, new) > MAX_PAIRS:
        return ComparedFile(path=path, status=status, diff=None)
    names = ("/dev/null" if status == "added" else f"a/{path}", "/dev/null" if status == "removed" else f"b/{path}")
    diff = "".join(_ended(unified_diff(old, new, *names)))
    cut = len(diff) > MAX_DIFF_CHARACTERS
    return ComparedFile(path=path, status=status, diff=diff[:MAX_DIFF_CHARACTERS], cut=cut)


def _pairs(old: list[str], new: list[str]) -> int:
    """Return the number of pairs of equal lines, without those that difflib ignores as popular."""
    there = Counter(new)
    popular = len(new) // 100 + 1 if len(new) >= 200 else len(new)
    return sum(count * there[line] for line, count in Counter(old).items() if there[line] <= popular)


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def compare_rows(columns: Sequence[Mapping[str, Any] | None], *, equal: bool = True) -> ComparedRows:
    """Return one row for each name that any run has.

    A column is None if nothing is known about its run; it makes no row differ. Without `equal`, rows in which all runs
    agree are only counted.
    """
    names = dict.fromkeys(name for column in columns if column for name in column)
    rows = [_row(name, columns) for name in sorted(names)]
    differing = [row for row in rows if row.differs]
    same = [row for row in rows if not row.differs]
    listed = differing + (same if equal else [])
    return ComparedRows(
        rows=listed[:MAX_ROWS],
        equal_left_out=0 if equal else len(same),
        more=max(len(listed) - MAX_ROWS, 0),
    )


def compare_metrics(
    columns: Sequence[Mapping[str, MetricView]], said: Mapping[str, Better] = NOTHING_SAID
) -> ComparedMetrics:
    """Return one row for each scalar that any run has; `said` has the user's choices of which way is better."""
    rows = []
    for tag in sorted({tag for column in columns for tag in column}):
        values = [column.get(tag) for column in columns]
        lasts = [value.last if value else None for value in values]
        differs = _differ(lasts, lambda last: last)
        better = direction(tag, said)
        rows.append(ComparedMetric(tag=tag, values=values, differs=differs, better=better, said=tag in said))
    rows.sort(key=lambda row: not row.differs)
    return ComparedMetrics(rows=rows[:MAX_METRICS], more=max(len(rows) - MAX_METRICS, 0))


def flatten(params: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Return nested parameters by their full names, such as "optimizer.lr"."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Mapping) and value and depth < MAX_DEPTH:
            found |= flatten(value, f"{prefix}{name}.", depth + 1)
        else:
            found[f"{prefix}{name}"] = value
    return found


def _row(name: str, columns: Sequence[Mapping[str, Any] | None]) -> ComparedRow:
    known = [column for column in columns if column is not None]
    differs = _differ([(name in column, column.get(name)) for column in known], lambda one: (one[0], _key(one[1])))
    values = [_bounded(column.get(name)) if column else None for column in columns]
    return ComparedRow(name=name, values=values, differs=differs)


def _differ(values: Sequence[Any], key: Callable[[Any], Any]) -> bool:
    return any(key(value) != key(values[0]) for value in values[1:])


def _key(value: Any) -> Any:
    # Python takes true for 1, and a reader does not; 1 and 1.0 are the same for both.
    return (isinstance(value, bool), value)


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_VALUE_CHARACTERS:
        return value[:MAX_VALUE_CHARACTERS] + "…"
    return value
