"""Reads back what an attempt ran with, from whatever its folder says: of an older deck's run, that is less."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from traindeck.db.tables import Run
from traindeck.provenance.masking import mask_arguments
from traindeck.provenance.packages import read_packages
from traindeck.provenance.program import argv_of_run, shell_line
from traindeck.provenance.view import CodeView, HostView, PackageView, PythonView, RecordView, TorchView
from traindeck.runner.program import Program
from traindeck.runs.files import AttemptFiles, RunFiles, read_json
from traindeck.sources.kept import GIT, code_of

Model = TypeVar("Model", bound=BaseModel)


def read_record_of(run: Run, files: RunFiles, number: int) -> RecordView:
    """What attempt `number` of a run ran with; 0 for a run that has had none."""
    attempt = files.attempt(number)
    content = read_json(attempt.environment) or {}
    script = Program.from_json(run.script) if run.script else None
    argv = _texts(content.get("argv")) or mask_arguments(argv_of_run(run, files))
    packages = read_packages(attempt.packages)
    environment = content.get("environment")
    fields: dict[str, Any] = {
        "run": run.id,
        "attempt": number,
        "recorded_at": _moment(content.get("recorded_at")),
        "start": _start(attempt, script),
        "argv": argv,
        "command": shell_line(argv),
        "cwd": script.cwd if script else None,
        "unchecked": script.unchecked if script else None,
        "code": read_code(files),
        "git": read_json(files.folder / GIT),
        "python": _model(PythonView, content.get("python")),
        "torch": _model(TorchView, content.get("torch")),
        "packages": None if packages is None else _each(packages, lambda one: _model(PackageView, one)),
        "environment": environment
        if isinstance(environment, dict) and _texts([*environment.values()]) is not None
        else None,
        "host": _model(HostView, content.get("host")),
    }
    return RecordView.model_validate(fields)


def _start(attempt: AttemptFiles, script: Program | None) -> str:
    """How it was started; of an attempt that has not, how it was asked to be."""
    done = (read_json(attempt.process) or {}).get("start")
    if done in ("warm", "cold"):
        return str(done)
    return "cold" if script and script.starts_cold else "warm"


def read_code(files: RunFiles) -> CodeView | None:
    """What was kept of the run's code; None for a trainer, and for runs of which nothing is known."""
    tree = code_of(files.folder)
    if tree is None:
        return None
    return CodeView(
        entry=tree.entry,
        digest=tree.digest,
        root=tree.root,
        files=len(tree.files),
        bytes=tree.size,
        complete=tree.complete,
    )


def _model(kind: type[Model], content: object) -> Model | None:
    try:
        return kind.model_validate(content) if content is not None else None
    except ValidationError:
        return None


def _texts(content: object) -> list[str] | None:
    """The texts in a list; None for anything else."""
    return content if isinstance(content, list) and all(isinstance(one, str) for one in content) else None


def _moment(content: object) -> datetime | None:
    try:
        return datetime.fromisoformat(content) if isinstance(content, str) else None
    except ValueError:
        return None


def _each(found: list[Any], read: Callable[[Any], Model | None]) -> list[Model]:
    return [one for one in map(read, found) if one is not None]
