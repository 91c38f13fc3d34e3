"""Read the record of an attempt from its folder. Records of older decks have fewer fields."""

from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from traindeck.db.tables import Run
from traindeck.provenance.command_line import argv_of_run, shell_line
from traindeck.provenance.masking import mask_arguments
from traindeck.runner.program import Program
from traindeck.runs.files import AttemptFiles, RunFiles, read_json
from traindeck.runs.view import CodeView, HostView, PackageView, PythonView, RecordView, TorchView
from traindeck.sources.runcode import GIT, code_of

Model = TypeVar("Model", bound=BaseModel)


def read_record_of(run: Run, files: RunFiles, number: int) -> RecordView:
    """Return the record of attempt `number` of a run; 0 for a run without an attempt."""
    attempt = files.attempt(number)
    content = read_json(attempt.environment) or {}
    script = Program.from_json(run.script) if run.script else None
    argv = _texts(content.get("argv")) or mask_arguments(argv_of_run(run, files))
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
        "packages": _packages(attempt.packages),
        "environment": _variables(content.get("environment")),
        "host": _model(HostView, content.get("host")),
    }
    return RecordView.model_validate(fields)


def _start(attempt: AttemptFiles, script: Program | None) -> str:
    """Return how the attempt was started, or how it will be."""
    done = (read_json(attempt.process) or {}).get("start")
    if done in ("warm", "cold"):
        return str(done)
    return "cold" if script and script.starts_cold else "warm"


def read_code(files: RunFiles) -> CodeView | None:
    """Return a summary of the run's kept code, or None if there is none, as for a trainer."""
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
    """Return a list if it has only texts, and None for everything else."""
    return content if isinstance(content, list) and all(isinstance(one, str) for one in content) else None


def _variables(content: object) -> dict[str, str] | None:
    return content if isinstance(content, dict) and _texts([*content.values()]) is not None else None


def _moment(content: object) -> datetime | None:
    try:
        return datetime.fromisoformat(content) if isinstance(content, str) else None
    except ValueError:
        return None


def _packages(path: Path) -> list[PackageView] | None:
    packages = (read_json(path) or {}).get("packages")
    if not isinstance(packages, list):
        return None
    return [one for one in (_model(PackageView, package) for package in packages) if one is not None]
