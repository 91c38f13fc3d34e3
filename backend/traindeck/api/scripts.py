"""`/scripts/inspect`: which options a script declares, as a form and for its arguments."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from traindeck.api.bodies import Argument, Body, ScriptBody
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import asking
from traindeck.api.problems import FieldProblem, field_problems, responses
from traindeck.api.script import locate_script
from traindeck.api.strict import StrictRoute
from traindeck.errors import FieldError
from traindeck.options.inspection import Inspection, Target
from traindeck.options.launch import params_of
from traindeck.runner.program import Program

router = APIRouter(tags=["scripts"], route_class=StrictRoute)

NO_COMMAND = "a command is started as it stands: only scripts and modules are asked for their options"


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
    return await asking(deck, partial(_options, body), partial(_target, deck, body.script))


def _target(deck: Deck, script: ScriptBody) -> Target | None:
    return target_of(locate_script(script, deck.code)[0], script, deck.files.home / "uploads")


def _options(body: InspectBody, deck: Deck) -> ScriptOptions:
    target = _target(deck, body.script)
    inspection = Inspection(None, NO_COMMAND) if target is None else deck.inspector.inspect(target)
    params: dict[str, Any] | None = None
    errors: list[FieldError] = []
    if inspection.schema is not None:
        args = body.script.args if body.args is None else body.args
        params, errors = params_of(inspection, args, deck.inspector)
    return ScriptOptions(
        params_schema=inspection.schema,
        parser=inspection.parser,
        reason=inspection.reason,
        cached=inspection.cached,
        seconds=round(inspection.seconds, 4),
        params=params,
        errors=field_problems(errors),
    )


def target_of(script: Program, body: ScriptBody, uploads: Path) -> Target | None:
    """The script that `body` asks for, or None for a command; an upload lies in a folder of its own in `uploads`."""
    common: dict[str, Any] = {"python": script.python, "cold": script.cold}
    base = Path(script.cwd) if script.cwd else None
    if script.kind == "command":
        return None
    if script.kind == "module":
        return Target(path0=base, base=base, module=script.module, **common)
    if body.source is not None:
        return Target(content=body.source.encode(), file=script.filename, base=base, **common)
    if body.upload is not None:
        upload = uploads / body.upload
        source = upload / script.filename
        return Target(path0=source.parent, source=source, base=base or upload, **common)
    file = script.path or ""
    return Target(path0=Path(os.path.dirname(file)), source=Path(file), file=file, base=base, **common)  # noqa: PTH120
