"""Compare runs: what was requested, what came out, and what they ran with."""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from traindeck.provenance.comparison_rows import compare_metrics, compare_rows, flatten
from traindeck.runs.comparison import ComparedCode, ComparedFile, ComparedRun, Comparison
from traindeck.runs.directions import Better
from traindeck.runs.files import RunFiles
from traindeck.runs.view import HostView, PackageView, RecordView, RunView
from traindeck.sources.difference import KeptCode, code_difference
from traindeck.sources.runcode import code_of

GIT_FACTS = ("commit", "branch", "dirty", "remote", "folder", "untracked", "diff_bytes")
DIFF_SECONDS = 2.0
"""After this time, files that differ are counted and no longer compared line by line."""


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
    before, after = ({file.path: file.sha256 for file in kept.tree.files} for kept in (first, other))
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    if not paths:
        return ComparedCode(run=run, against=against, same=True)
    if time.monotonic() > deadline:
        return ComparedCode(run=run, against=against, same=False, more=len(paths))
    listed, _ = code_difference(first, other)
    files = [ComparedFile(path=one.path, status=one.status, diff=one.diff, cut=one.truncated) for one in listed]
    return ComparedCode(run=run, against=against, same=False, files=files, more=len(paths) - len(files))
