"""`/launch/options`: the part of the launch form that a script's own options make."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, ValidationError, model_validator

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import asking
from traindeck.api.problems import FieldProblem, field_problems
from traindeck.api.strict import StrictRoute
from traindeck.db.tables import LARGEST_INTEGER
from traindeck.errors import FieldError, InvalidRequest
from traindeck.launches.located import locate, locate_kept
from traindeck.launches.requests import Argument, Body, ScriptBody
from traindeck.launches.rerun import spec_of
from traindeck.launches.resolution import inspect
from traindeck.options.conversion import read_partly
from traindeck.options.inspection import Inspection, Target
from traindeck.options.schema import Schema
from traindeck.options.sources import with_sources
from traindeck.pages.launch_page import render_options
from traindeck.runs.view import RunView
from traindeck.sources.runcode import code_of

router = APIRouter(route_class=StrictRoute, include_in_schema=False)


class FormBody(Body):
    """A script, or the run whose script is to be repeated; `form` is what the page shows already."""

    script: ScriptBody | None = None
    run: int | None = Field(None, ge=1, le=LARGEST_INTEGER)
    args: list[Argument] = Field([], max_length=1000)
    form: str = Field("", max_length=100)

    @model_validator(mode="after")
    def _one_script(self) -> "FormBody":
        if (self.script is None) == (self.run is None):
            raise ValueError("give either a script or a run")
        return self


class OptionsForm(BaseModel):
    """The fields of a script's options, as HTML; null where the page shows this `form` already.

    `reason` says why there is no form, `problem` why the script cannot be launched as it is named. Of the arguments,
    those that fields stand for are `params`, and the others are the `rest`.
    """

    form: str = ""
    html: str | None = ""
    reason: str = ""
    problem: str = ""
    params: dict[str, Any] = {}
    rest: list[str]
    errors: list[FieldProblem] = []


@router.post("/launch/options")
async def show_options(body: FormBody, deck: DeckDep) -> OptionsForm:
    """The form for a script, with what its arguments fill in."""
    try:
        target, values = await deck.lanes.launching.run(_asked_target, deck, body)
    except InvalidRequest as error:
        # Said, not refused: while a path is typed it is wrong most of the time.
        return OptionsForm(problem=error.errors[0].message, rest=body.args)
    return await asking(deck, lambda asked: _form(inspect(asked, target), values, body.args, shown=body.form))


def known_options(deck: Deck, *, script: str | None, run: RunView | None) -> OptionsForm | None:
    """Return the form of a script, or of a run's, as far as it is known without running or keeping anything.

    None where the script has to be asked, which waits until the user wants it: anybody can lead a browser to `/launch`.
    """
    try:
        if script is not None:
            target = locate(ScriptBody(path=script), deck.code).target
        elif run is not None and run.script is not None:
            folder = deck.files.run(run.id).folder
            target = locate_kept(run.script, code_of(folder), folder).target
        else:
            return None
    except (InvalidRequest, ValidationError, OSError):
        return None
    inspection = None if target is None else deck.inspector.known(target)
    if inspection is None:
        return None
    if run is None or run.script is None:
        return _form(inspection, None, [])
    return _form(inspection, run.params, list(run.script.args))


def _form(inspection: Inspection, values: dict[str, Any] | None, args: list[str], *, shown: str = "") -> OptionsForm:
    """Return the fields; `values` are the parameters of a run that is to be repeated."""
    schema = inspection.schema
    if schema is None:
        return OptionsForm(reason=inspection.reason, rest=args)
    read = _read_arguments(schema, args)
    form = hashlib.sha256(json.dumps([schema, values], sort_keys=True).encode()).hexdigest()
    html = None if form == shown else render_options(schema, values or {}, repeated=values is not None)
    return OptionsForm(form=form, html=html, params=read.params, rest=read.rest, errors=field_problems(read.errors))


def _asked_target(deck: Deck, body: FormBody) -> tuple[Target | None, dict[str, Any] | None]:
    """The script to ask for its options, and the parameters of the run that is to be repeated."""
    values = None
    if body.script is not None:
        target = locate(body.script, deck.code).target
    else:
        run_id = body.run or 0
        spec = spec_of(deck.launchpad, run_id)
        values = spec.params
        target = locate_kept(spec.script, spec.code, deck.files.run(run_id).folder).target if spec.script else None
    return with_sources(target) if target else None, values


@dataclass(slots=True)
class _Arguments:
    rest: list[str]
    params: dict[str, Any] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)


def _read_arguments(schema: Schema, args: list[str]) -> _Arguments:
    reading = read_partly(schema, args)
    if reading.refusal is not None:
        message = f"the script would refuse its arguments: {reading.refusal}"
        return _Arguments(rest=args, errors=[FieldError("script.args", message)])
    if reading.early or any(name not in schema["properties"] for name in reading.values):
        # Help, or an option that the script hides: no field can stand for it.
        return _Arguments(rest=args)
    return _Arguments(rest=reading.extras, params=reading.values)
