"""Turns what somebody posted into a run that can be queued, or says what is wrong with it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from traindeck.api.bodies import LaunchBody
from traindeck.api.deck import Deck
from traindeck.api.lanes import Lane, asking
from traindeck.api.options import resolve_options
from traindeck.api.script import locate_script, read_script
from traindeck.api.scripts import target_of
from traindeck.counting import plural
from traindeck.errors import FieldError, InvalidRequest
from traindeck.options.inspection import Target
from traindeck.runs import commands
from traindeck.runs.queries import show_run
from traindeck.runs.queue import Capacity
from traindeck.runs.spec import RunSpec
from traindeck.runs.view import Resources, RunView
from traindeck.trainers.entry import UnknownTrainer
from traindeck.trainers.installed import PackagedTrainer
from traindeck.trainers.parameters import InvalidParams
from traindeck.trainers.registry import Registry


def resolve(body: LaunchBody, deck: Deck) -> RunSpec:
    """The run that `body` asks for, with every parameter.

    Raises:
        InvalidRequest: a field is wrong; every wrong one is named.
    """
    errors = resource_errors(body.resources, deck.slots.capacity)
    params = {}
    script, code = None, None
    try:
        if body.trainer is not None:
            params = check_params(deck.registry, body.trainer, body.params)
        if body.script is not None:
            script, code = read_script(body.script, deck.code)
            target = target_of(script, body.script, deck.files.home / "uploads")
            script, params = resolve_options(deck, script, target, body.params)
    except InvalidRequest as error:
        errors = [*error.errors, *errors]
    if errors:
        raise InvalidRequest(errors)
    return RunSpec(
        trainer=body.trainer,
        script=script,
        code=code,
        params=params,
        name=body.name,
        tags=tuple(body.tags),
        notes=body.notes,
        priority=body.priority,
        resources=body.resources,
        env=dict(body.env),
        max_retries=body.max_retries,
    )


async def resolve_aside(body: LaunchBody, deck: Deck) -> RunSpec:
    """Do as `resolve`, where it holds up nobody: what asks a script or a package's trainer takes seconds."""
    script = body.script
    if script is None:
        return await lane_of_trainer(deck, body.trainer).run(resolve, body, deck)

    def find_target() -> Target | None:
        return target_of(locate_script(script, deck.code)[0], script, deck.files.home / "uploads")

    unchecked = not (body.params or script.args)
    return await asking(deck, partial(resolve, body), find_target, unchecked=unchecked)


def lane_of_trainer(deck: Deck, name: str | None) -> Lane:
    """Return where the parameters of a trainer are checked: one that a package brings is imported for it."""
    packaged = isinstance(deck.registry.trainers.get(name or ""), PackagedTrainer)
    return deck.lanes.inspecting if packaged else deck.lanes.launching


def queue_run(deck: Deck, spec: RunSpec, idempotency_key: str | None) -> RunView:
    """Queue a run, and have it started where it can be; the run as it is then."""
    with deck.database.write() as session:
        if idempotency_key is None:
            run = commands.submit(session, deck.files, deck.code.blobs, spec)
        else:
            run = commands.submit_once(session, deck.files, deck.code.blobs, spec, idempotency_key)
        assert run.id is not None
        view = show_run(session, run.id, deck.slots.capacity)
    deck.dispatcher.wake()
    return view


def resource_errors(wanted: Resources, capacity: Capacity) -> list[FieldError]:
    """What is asked for beyond what the machine has for runs."""
    errors = []
    for kind, asked, there in (("cpus", wanted.cpus, capacity.cpus), ("gpus", wanted.gpus, capacity.gpus)):
        if asked > there:
            unit = plural(there, {"cpus": "CPU slot", "gpus": "GPU"}[kind])
            message = f"resources.{kind} is {asked}, but this machine has {there or 'no'} {unit} for runs"
            errors.append(FieldError(f"resources.{kind}", message))
    return errors


def check_params(registry: Registry, name: str, params: Mapping[str, Any]) -> dict[str, object]:
    """All parameters of the trainer `name`, those that are not given with their defaults; raises InvalidRequest."""
    try:
        return registry.get(name).validate(params)
    except UnknownTrainer as error:
        raise InvalidRequest([FieldError("trainer", str(error))]) from error
    except InvalidParams as error:
        fields = [FieldError(f"params.{one.field}".rstrip("."), one.message) for one in error.errors]
        raise InvalidRequest(fields) from error
