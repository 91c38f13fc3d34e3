"""`/trainers`: the installed trainers; `/scripts/inspect`: the options that a script declares."""

from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import asking
from traindeck.api.problems import FieldProblem, field_problems, responses
from traindeck.api.strict import StrictRoute
from traindeck.errors import FieldError
from traindeck.launches.located import locate
from traindeck.launches.requests import Argument, Body, ScriptBody
from traindeck.launches.submission import inspect
from traindeck.options.given import params_of
from traindeck.options.inspection import Inspections, Target
from traindeck.options.sources import with_sources

router = APIRouter(route_class=StrictRoute)


class TrainerItem(BaseModel):
    """An installed trainer."""

    name: str = Field(examples=["mnist"])
    title: str
    description: str
    params_schema: dict[str, Any] = Field(description="The JSON Schema of its parameters")


class BrokenItem(BaseModel):
    """An installed trainer that cannot be loaded."""

    name: str
    package: str
    reason: str


class Trainers(BaseModel):
    """The installed trainers."""

    items: list[TrainerItem]
    broken: list[BrokenItem]


@router.get("/trainers", tags=["trainers"], operation_id="listTrainers", responses=responses())
def list_trainers(deck: DeckDep) -> Trainers:
    """List the installed trainers with the JSON Schema of their parameters, and the broken ones."""
    items = [
        TrainerItem(name=one.name, title=one.title, description=one.description, params_schema=one.schema())
        for one in deck.registry.trainers.values()
    ]
    broken = [BrokenItem(name=one.name, package=one.package, reason=one.reason) for one in deck.registry.broken]
    return Trainers(items=items, broken=broken)


class InspectBody(Body):
    """A script to inspect, and arguments to parse as it would."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"script": {"path": "/home/me/train.py"}, "args": ["--lr", "0.1"]}]},
    )

    script: ScriptBody
    args: list[Argument] | None = Field(None, max_length=1000, description="Default: those of the script")


class ScriptOptions(BaseModel):
    """The options that a script declares."""

    model_config = ConfigDict(populate_by_name=True)

    params_schema: dict[str, Any] | None = Field(
        alias="schema", description="The JSON Schema of its options; null if it has no form"
    )
    parser: str | None = Field(examples=["argparse"], description="argparse, click or typer")
    reason: str = Field(description="Why there is no form")
    cached: bool
    seconds: float
    params: dict[str, Any] | None = Field(description="The values from the arguments, with defaults")
    errors: list[FieldProblem] = Field(description="Arguments that the script would refuse")


@router.post(
    "/scripts/inspect", tags=["scripts"], operation_id="inspectScript", responses=responses(413, 415, 422, 507)
)
async def inspect_script(body: InspectBody, deck: DeckDep) -> ScriptOptions:
    """Return the options that a script declares.

    The script is run up to the point where it would parse its arguments, unless the result is cached.
    """
    target = await deck.lanes.launching.run(_target, deck, body.script)
    return await asking(deck, partial(_options, body, target))


def _target(deck: Deck, script: ScriptBody) -> Target | None:
    target = locate(script, deck.code).target
    return with_sources(target) if target else None


def _options(body: InspectBody, target: Target | None, inspector: Inspections) -> ScriptOptions:
    inspection = inspect(inspector, target)
    params: dict[str, Any] | None = None
    errors: list[FieldError] = []
    if inspection.schema is not None:
        args = body.script.args if body.args is None else body.args
        params, errors = params_of(inspection, args, inspector)
    return ScriptOptions(
        params_schema=inspection.schema,
        parser=inspection.parser,
        reason=inspection.reason,
        cached=inspection.cached,
        seconds=round(inspection.seconds, 4),
        params=params,
        errors=field_problems(errors),
    )
