"""`/launch/options`: the part of the launch form that a script's own options make."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, ValidationError, model_validator

from traindeck.api.bodies import Argument, Body, ScriptBody
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import asking
from traindeck.api.options import kept_target
from traindeck.api.problems import FieldProblem, field_problems
from traindeck.api.script import locate_script
from traindeck.api.scripts import NO_COMMAND, target_of
from traindeck.api.strict import StrictRoute
from traindeck.db.tables import LARGEST_INTEGER
from traindeck.errors import FieldError, InvalidRequest
from traindeck.options.inspection import Inspection, Target
from traindeck.options.partial import read_partly
from traindeck.options.schema import Schema
from traindeck.pages.launch import render_options
from traindeck.runs.queries import find_run
from traindeck.runs.repeat import spec_of
from traindeck.runs.view import RunView
from traindeck.sources.kept import code_of

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
    return await asking(deck, partial(_asked, body), lambda: _asked_target(deck, body)[0])


def _asked(body: FormBody, deck: Deck) -> OptionsForm:
    try:
        target, values = _asked_target(deck, body)
        inspection = Inspection(None, NO_COMMAND) if target is None else deck.inspector.inspect(target)
    except InvalidRequest as error:
        # Said, not refused: while a path is typed it is wrong most of the time.
        return OptionsForm(problem=error.errors[0].message, rest=body.args)
    return _form(inspection, values, body.args, shown=body.form)


def known_options(deck: Deck, *, script: str | None, run: RunView | None) -> OptionsForm | None:
    """Return the form of a script, or of a run's, as far as it is known without running or keeping anything.

    None where the script has to be asked, which waits until the user wants it: anybody can lead a browser to `/launch`.
    """
    try:
        if script is not None:
            body = ScriptBody(path=script)
            target = target_of(locate_script(body, deck.code)[0], body, deck.files.home / "uploads")
        elif run is not None and run.script is not None:
            folder = deck.files.run(run.id).folder
            target = kept_target(run.script, code_of(folder), folder)
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
        target = target_of(locate_script(body.script, deck.code)[0], body.script, deck.files.home / "uploads")
    else:
        run_id = body.run or 0
        with deck.database.read() as session:
            spec = spec_of(session, deck.files, deck.code.blobs, find_run(session, run_id))
        target = kept_target(spec.script, spec.code, deck.files.run(run_id).folder) if spec.script else None
        values = spec.params
    return target, values


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
