"""`/runs/N/rerun`: the same once more, exactly or with a few things changed."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response, status
from fastapi.concurrency import run_in_threadpool
from pydantic import BeforeValidator, ConfigDict, Field

from traindeck.api.bodies import (
    MAX_VARIABLES,
    Argument,
    Body,
    Name,
    Priority,
    Tags,
    Text,
    Value,
    VariableName,
    few_variables,
)
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import asking
from traindeck.api.launch import check_params, lane_of_trainer, queue_run, resource_errors
from traindeck.api.options import kept_target, resolve_options
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.queries import find_run
from traindeck.runs.repeat import spec_of
from traindeck.runs.spec import RunSpec
from traindeck.runs.view import RunView
from traindeck.sources.kept import copy_git

router = APIRouter(tags=["runs"], route_class=StrictRoute)


class RerunResources(Body):
    """What to ask for instead; what is left out stays."""

    cpus: int | None = Field(None, strict=True, ge=1, le=4096)
    gpus: int | None = Field(None, strict=True, ge=0, le=1024)


class RerunBody(Body):
    """What shall be different; what is left out, or null, is as it was."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"params": {"lr": 0.2}}]})

    params: dict[str, Any] | None = Field(None, description="Parameters with other values; the others stay")
    args: list[Argument] | None = Field(None, max_length=1000, description="All arguments of the script")
    name: Name | None = None
    tags: Tags | None = None
    notes: Text | None = None
    priority: Priority | None = None
    resources: RerunResources | None = None
    env: Annotated[dict[VariableName, Value | None] | None, BeforeValidator(few_variables)] = Field(
        None, max_length=MAX_VARIABLES, description="Variables that are added or changed; null takes one away"
    )
    max_retries: int | None = Field(None, strict=True, ge=0, le=100)
    resume_arg: str | None = Field(
        None, max_length=200, pattern=r"^[^\s\x00]+$", description="The option by which the script takes a checkpoint"
    )


AS_IT_WAS = RerunBody()


@router.post(
    "/runs/{run_id}/rerun",
    status_code=status.HTTP_201_CREATED,
    operation_id="rerun",
    responses=responses(404, 409, 413, 415, 422, 507),
)
async def rerun(
    run_id: RunId,
    deck: DeckDep,
    response: Response,
    body: RerunBody = AS_IT_WAS,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="Repeating a request with its key is safe"),
    ] = None,
) -> RunView:
    """Queue a new run that does the same as this one: same code, parameters, environment and interpreter."""
    spec = await _changed_aside(deck, await run_in_threadpool(_asked, deck, run_id), body, run_id)
    view = await run_in_threadpool(_queue, deck, spec, run_id, idempotency_key)
    response.headers["Location"] = f"/runs/{view.id}"
    return view


def _asked(deck: Deck, run_id: int) -> RunSpec:
    with deck.database.read() as session:
        return spec_of(session, deck.files, deck.code.blobs, find_run(session, run_id))


async def _changed_aside(deck: Deck, asked: RunSpec, body: RerunBody, run_id: int) -> RunSpec:
    """Do as `changed`, in the lane where it holds up nobody: a script, or a package's trainer, may have to be asked."""
    folder = deck.files.run(run_id).folder
    script = asked.script
    if script is None:
        return await lane_of_trainer(deck, asked.trainer).run(changed, deck, asked, body, folder)
    as_it_was = body.args is None and not body.params and body.resume_arg is None
    return await asking(
        deck,
        lambda deck: changed(deck, asked, body, folder),
        lambda: None if as_it_was else kept_target(script, asked.code, folder),
    )


def _queue(deck: Deck, spec: RunSpec, run_id: int, idempotency_key: str | None) -> RunView:
    view = queue_run(deck, spec, idempotency_key)
    # A note beside the run, which is queued already.
    with suppress(OSError):
        copy_git(deck.files.run(run_id).folder, deck.files.run(view.id).folder)
    return view


def changed(deck: Deck, asked: RunSpec, body: RerunBody, folder: Path) -> RunSpec:
    """The run that was asked for once, whose files are in `folder`, with what `body` says otherwise.

    Raises:
        InvalidRequest: a field is wrong, or what was right once is not any more; every such field is named.
    """
    given = {name: getattr(body, name) for name in ("name", "notes", "priority", "max_retries")}
    spec = replace(asked, **{name: value for name, value in given.items() if value is not None})
    if body.tags is not None:
        spec = replace(spec, tags=tuple(body.tags))
    if body.resources is not None:
        wanted = body.resources.model_dump(exclude_none=True)
        spec = replace(spec, resources=spec.resources.model_copy(update=wanted))
    if body.env is not None:
        env = {**spec.env, **body.env}
        spec = replace(spec, env={name: value for name, value in env.items() if value is not None})
    errors = resource_errors(spec.resources, deck.slots.capacity)
    try:
        spec = _trainer_changed(deck, spec, body) if spec.trainer else _script_changed(deck, spec, body, folder)
    except InvalidRequest as error:
        errors = [*error.errors, *errors]
    if errors:
        raise InvalidRequest(errors)
    return spec


def _trainer_changed(deck: Deck, spec: RunSpec, body: RerunBody) -> RunSpec:
    for name in ("args", "resume_arg"):
        if getattr(body, name) is not None:
            raise InvalidRequest([FieldError(name, f"{name} goes with a script; run {spec.rerun_of} is a trainer's")])
    params = check_params(deck.registry, spec.trainer or "", {**spec.params, **(body.params or {})})
    return replace(spec, params=params)


def _script_changed(deck: Deck, spec: RunSpec, body: RerunBody, folder: Path) -> RunSpec:
    assert spec.script is not None
    script = spec.script
    if script.command and body.args is not None:
        raise InvalidRequest([FieldError("args", "args go with a script; a command holds its arguments itself")])
    if body.resume_arg is not None:
        script = replace(script, resume_arg=body.resume_arg)
    if body.args is None and not body.params and body.resume_arg is None:
        return replace(spec, script=script)
    if body.args is not None:
        script = replace(script, args=tuple(body.args))
    target = kept_target(script, spec.code, folder)
    try:
        script, params = resolve_options(deck, script, target, body.params or {}, override=body.args is None)
    except InvalidRequest as error:
        raise InvalidRequest([_of_this_body(one) for one in error.errors]) from error
    return replace(spec, script=script, params=params)


def _of_this_body(error: FieldError) -> FieldError:
    """What a launch calls script.args are args here."""
    field = error.field.removeprefix("script.")
    return FieldError(field, error.message.replace("script.args", "args").replace("script.resume_arg", "resume_arg"))
