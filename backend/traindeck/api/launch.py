"""Turns what somebody posted into a run that can be queued, or says what is wrong with it."""

from traindeck.api.bodies import LaunchBody
from traindeck.api.script import read_script
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.queue import Capacity
from traindeck.runs.spec import RunSpec
from traindeck.runs.view import Resources
from traindeck.trainers.entry import UnknownTrainer
from traindeck.trainers.parameters import InvalidParams
from traindeck.trainers.registry import Registry


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
            script = read_script(body.script)
            if body.params:
                raise InvalidRequest([FieldError("params", "params go with a trainer; give a script its args")])
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
