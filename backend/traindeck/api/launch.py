"""Turns what somebody posted into a run that can be queued, or says what is wrong with it."""

import os
from pathlib import Path

from traindeck.api.bodies import LaunchBody, ScriptBody
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.queue import Capacity
from traindeck.runs.spec import RunSpec, ScriptSpec
from traindeck.runs.view import Resources
from traindeck.trainers.entry import UnknownTrainer
from traindeck.trainers.parameters import InvalidParams
from traindeck.trainers.registry import Registry

MAX_SCRIPT_BYTES = 10_000_000


def resolve(body: LaunchBody, registry: Registry, capacity: Capacity) -> RunSpec:
    """The run that `body` asks for, with every parameter.

    Raises:
        InvalidRequest: a field is wrong; every wrong one is named.
    """
    errors = _resource_errors(body.resources, capacity)
    params = {}
    script = None
    try:
        if body.trainer is not None:
            params = _params(body, registry, body.trainer)
        if body.script is not None:
            script = _script(body.script)
    except InvalidRequest as error:
        errors = [*error.errors, *errors]
    if errors:
        raise InvalidRequest(errors)
    return RunSpec(
        trainer=body.trainer,
        script=script,
        params=params,
        name=body.name,
        tags=tuple(body.tags),
        notes=body.notes,
        priority=body.priority,
        resources=body.resources,
        env=dict(body.env),
        max_retries=body.max_retries,
    )


def _resource_errors(wanted: Resources, capacity: Capacity) -> list[FieldError]:
    errors = []
    for kind, asked, there in (("cpus", wanted.cpus, capacity.cpus), ("gpus", wanted.gpus, capacity.gpus)):
        if asked > there:
            unit = {"cpus": "CPU slot", "gpus": "GPU"}[kind] + ("" if there == 1 else "s")
            message = f"resources.{kind} is {asked}, but this machine has {there or 'no'} {unit} for runs"
            errors.append(FieldError(f"resources.{kind}", message))
    return errors


def _params(body: LaunchBody, registry: Registry, name: str) -> dict[str, object]:
    try:
        return registry.get(name).validate(body.params)
    except UnknownTrainer as error:
        raise InvalidRequest([FieldError("trainer", str(error))]) from error
    except InvalidParams as error:
        fields = [FieldError(f"params.{one.field}".rstrip("."), one.message) for one in error.errors]
        raise InvalidRequest(fields) from error


def _script(body: ScriptBody) -> ScriptSpec:
    if body.source is not None:
        filename = _plain_filename("script.py" if body.filename is None else body.filename)
        return ScriptSpec(filename, body.source.encode(), None, tuple(body.args))
    path = Path(os.path.abspath(os.path.expanduser(body.path or "")))  # noqa: PTH100, PTH111 (no error, links stay)
    problem = _path_problem(path)
    if problem:
        raise InvalidRequest([FieldError("script.path", f"script.path {str(path)!r} {problem}")])
    return ScriptSpec(path.name, path.read_bytes(), str(path), tuple(body.args))


def _path_problem(path: Path) -> str | None:
    try:
        if not path.exists():
            return "does not exist on the server's machine"
        if not path.is_file():
            return "is not a file"
        if path.stat().st_size > MAX_SCRIPT_BYTES:
            return f"is larger than {MAX_SCRIPT_BYTES // 1_000_000} MB"
        if not os.access(path, os.R_OK):
            return "may not be read by the deck"
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"
    return None


def _plain_filename(name: str) -> str:
    bad = not name or name != Path(name).name or name.startswith((".", "-")) or "\\" in name or not name.isprintable()
    if bad:
        message = f"script.filename is {name!r}, but must be a plain file name such as train.py"
        raise InvalidRequest([FieldError("script.filename", message)])
    return name
