"""Turns what was asked into a run that can be queued, or says what is wrong with it; and queues it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traindeck.counting import plural
from traindeck.errors import FieldError, InvalidRequest
from traindeck.launches.launchpad import Launchpad
from traindeck.launches.located import Located, keep, locate
from traindeck.launches.requests import LaunchBody
from traindeck.launches.resolution import complete_later, resolve_options
from traindeck.options.inspection import Inspections, Target
from traindeck.runs import commands
from traindeck.runs.commands import RunSpec
from traindeck.runs.queries import show_run
from traindeck.runs.queue import Capacity
from traindeck.runs.view import Resources, RunView
from traindeck.trainers.entry import UnknownTrainer
from traindeck.trainers.parameters import InvalidParams
from traindeck.trainers.registry import Registry


@dataclass(frozen=True, slots=True)
class Launch:
    """What was asked, and the script that it names: found, kept and read, but not asked for its options."""

    body: LaunchBody
    script: Located | None

    @property
    def target(self) -> Target | None:
        """What may have to be asked for its options."""
        return self.script.target if self.script else None

    @property
    def checked(self) -> bool:
        """True where there are arguments or parameters that the script may refuse."""
        return bool(self.body.params or (self.script and self.script.program.args))


def prepare(pad: Launchpad, body: LaunchBody) -> Launch:
    """Find the script that is asked for, and keep its code.

    Raises:
        InvalidRequest: a field is wrong; every wrong one is named.
    """
    try:
        script = keep(locate(body.script, pad.code), pad.code) if body.script is not None else None
    except InvalidRequest as error:
        raise InvalidRequest([*error.errors, *resource_errors(body.resources, pad.capacity())]) from error
    return Launch(body, script)


def resolve(pad: Launchpad, launch: Launch, inspector: Inspections) -> RunSpec:
    """Return the run that is asked for, with every parameter.

    Raises:
        InvalidRequest: a field is wrong; every wrong one is named.
    """
    body, script = launch.body, launch.script
    errors = resource_errors(body.resources, pad.capacity())
    program, params = None, {}
    try:
        if script is None:
            params = check_params(pad.registry, body.trainer or "", body.params)
        else:
            program, params = resolve_options(inspector, script, body.params)
    except InvalidRequest as error:
        errors = [*error.errors, *errors]
    if errors:
        raise InvalidRequest(errors)
    return RunSpec(
        trainer=body.trainer,
        script=program,
        code=script.code if script else None,
        params=params,
        name=body.name,
        tags=tuple(body.tags),
        notes=body.notes,
        priority=body.priority,
        resources=body.resources,
        env=dict(body.env),
        max_retries=body.max_retries,
    )


def submit(pad: Launchpad, launch: Launch, spec: RunSpec, idempotency_key: str | None) -> RunView:
    """Queue a run, and have recorded what is not known of its script yet."""
    view = queue_run(pad, spec, idempotency_key)
    if spec.script is not None:
        pad.code.record_git(spec.code, pad.files.run(view.id).folder)
        if not view.params:
            complete_later(pad, view.id, launch.target, spec.script.args)
    return view


def queue_run(pad: Launchpad, spec: RunSpec, idempotency_key: str | None) -> RunView:
    """Queue a run, and have it started where it can be; the run as it is then."""
    with pad.database.write() as session:
        if idempotency_key is None:
            run = commands.submit(session, pad.files, pad.code.blobs, spec)
        else:
            run = commands.submit_once(session, pad.files, pad.code.blobs, spec, idempotency_key)
        assert run.id is not None
        view = show_run(session, run.id, pad.capacity())
    pad.wake()
    return view


def resource_errors(wanted: Resources, capacity: Capacity) -> list[FieldError]:
    """Return what is asked for beyond what the machine has for runs."""
    errors = []
    for kind, asked, there in (("cpus", wanted.cpus, capacity.cpus), ("gpus", wanted.gpus, capacity.gpus)):
        if asked > there:
            unit = plural(there, {"cpus": "CPU slot", "gpus": "GPU"}[kind])
            message = f"resources.{kind} is {asked}, but this machine has {there or 'no'} {unit} for runs"
            errors.append(FieldError(f"resources.{kind}", message))
    return errors


def check_params(registry: Registry, name: str, params: Mapping[str, Any]) -> dict[str, object]:
    """Return all parameters of the trainer `name`, with defaults for the others; raises InvalidRequest."""
    try:
        return registry.get(name).validate(params)
    except UnknownTrainer as error:
        raise InvalidRequest([FieldError("trainer", str(error))]) from error
    except InvalidParams as error:
        fields = [FieldError(f"params.{one.field}".rstrip("."), one.message) for one in error.errors]
        raise InvalidRequest(fields) from error
