"""`/scripts/inspect`: which options a script declares, as a form and for its arguments."""

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
from traindeck.launches.resolution import inspect
from traindeck.options.given import params_of
from traindeck.options.inspection import Inspections, Target
from traindeck.options.sources import with_sources

router = APIRouter(tags=["scripts"], route_class=StrictRoute)


class InspectBody(Body):
    """A script to ask for its options, and arguments to read as it would."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"script": {"path": "/home/me/train.py"}, "args": ["--lr", "0.1"]}]},
    )

    script: ScriptBody
    args: list[Argument] | None = Field(None, max_length=1000, description="Default: those of the script")


class ScriptOptions(BaseModel):
    """What a script declares."""

    model_config = ConfigDict(populate_by_name=True)

    params_schema: dict[str, Any] | None = Field(
        alias="schema", description="The JSON Schema of its options; null where it has no form"
    )
    parser: str | None = Field(examples=["argparse"], description="argparse, click or typer")
    reason: str = Field(description="Why there is no form")
    cached: bool
    seconds: float
    params: dict[str, Any] | None = Field(description="What the arguments come to, defaults included")
    errors: list[FieldProblem] = Field(description="What the script would refuse of the arguments")


@router.post("/scripts/inspect", operation_id="inspectScript", responses=responses(413, 415, 422, 507))
async def inspect_script(body: InspectBody, deck: DeckDep) -> ScriptOptions:
    """Ask a script for the options that it declares.

    It is run up to the point where its parser would parse, and no further, unless the same was asked before.
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
