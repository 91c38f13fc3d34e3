"""`/launch`: the launch form; `/launch/options`: its fields for the options of a script."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, ValidationError, model_validator

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import asking
from traindeck.api.problems import FieldProblem, field_problems
from traindeck.api.strict import StrictRoute
from traindeck.api.visitor import VARY, led_from_elsewhere
from traindeck.db.tables import LARGEST_INTEGER
from traindeck.errors import FieldError, InvalidRequest, LedFromElsewhere
from traindeck.launches.located import locate, locate_kept
from traindeck.launches.repetition import spec_of
from traindeck.launches.requests import Argument, Body, ScriptBody
from traindeck.launches.submission import inspect
from traindeck.options.conversion import read_partly
from traindeck.options.inspection import Inspection, Target
from traindeck.options.schema import Schema
from traindeck.options.sources import with_sources
from traindeck.pages.launch_page import BrokenTrainerView, Repeated, TrainerView, render_launch, render_options
from traindeck.pages.run_summary import program_name
from traindeck.provenance.masking import mask_variables
from traindeck.runner.program import Program
from traindeck.runs.queries import find_run, show_run
from traindeck.runs.view import RunView
from traindeck.sources.runcode import code_of

router = APIRouter(include_in_schema=False)
options = APIRouter(route_class=StrictRoute, include_in_schema=False)

ANEW = {
    "path": "The file as it is now",
    "source": "Edit the source",
    "module": "The module as it is now",
    "command": "Another command",
    "upload": "Another upload",
}
"""The choice besides the code that the run had."""


@router.get("/launch")
def show_launch(
    request: Request,
    deck: DeckDep,
    trainer: Annotated[str | None, Query(max_length=200)] = None,
    run: Annotated[int | None, Query(alias="from", ge=1, le=LARGEST_INTEGER)] = None,
    script: Annotated[str | None, Query(max_length=4096)] = None,
) -> HTMLResponse:
    """Show the form, empty or filled in from an earlier run. No script is run.

    Raises:
        LedFromElsewhere: a page of another site would fill it in.
    """
    if (script is not None or run is not None) and led_from_elsewhere(request):
        detail = "A page of another site led here, to a form that it filled in. Nothing was executed."
        raise LedFromElsewhere(detail, "Open an empty form", "/launch")
    values, repeated, view = _of_run(deck, run) if run is not None else ({}, None, None)
    if script is not None:
        values = {**values, "script": {"path": script}}
    if script is not None or (trainer is not None and trainer != values.get("trainer")):
        repeated = None
    trainers = [
        TrainerView(one.name, one.title, one.description, one.schema()) for one in deck.registry.trainers.values()
    ]
    broken = [BrokenTrainerView(one.name, f"{one.package}: {one.reason}") for one in deck.registry.broken]
    selected = trainer or values.get("trainer")
    limit_mb = deck.settings.upload_limit_mb
    known = known_options(deck, script=script, run=view if repeated else None)
    page = render_launch(
        trainers,
        broken,
        selected,
        values,
        deck.state(),
        repeated,
        limit_mb,
        known.model_dump_json() if known else "",
    )
    return HTMLResponse(page, headers=VARY)


def _of_run(deck: Deck, run_id: int) -> tuple[dict[str, Any], Repeated, RunView]:
    """Return a body of POST /runs for the same run with masked secrets, how the page names the run, and the run."""
    with deck.database.read() as session:
        view = show_run(session, run_id, deck.slots.capacity)
        row = find_run(session, run_id)
    asked = {"name", "trainer", "params", "tags", "notes", "priority", "resources"}
    values = json.loads(view.model_dump_json(include=asked))
    script = view.script and _script_values(deck, run_id, view.script)
    env = mask_variables(row.env)
    where = (view.script.path or view.script.cwd or "") if view.script else ""
    anew = ANEW[view.script.kind] if view.script else ""
    repeated = Repeated(run_id, view.name, program_name(view), where, anew)
    return {**values, "script": script, "env": env, "max_retries": row.max_retries}, repeated, view


def _script_values(deck: Deck, run_id: int, script: Program) -> dict[str, Any]:
    """Return the script of that body. An upload has to be uploaded again."""
    given = script.start()
    if script.kind == "source":
        kept = deck.files.run(run_id).code / script.filename
        source = kept.read_text(errors="replace") if kept.is_file() else ""
        return {**given, "source": source, "filename": script.filename}
    if script.kind == "upload":
        return {**given, "upload": True}
    return {**given, script.kind: script.as_json()[script.kind]}


class FormBody(Body):
    """A script, or the run whose script to repeat; `form` identifies the fields that the page shows already."""

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
    """The fields of a script's options, as HTML; null if the page shows this `form` already.

    `reason` says why there is no form, `problem` why the script cannot be launched as given. `params` are the arguments
    that have fields, and `rest` the others.
    """

    form: str = ""
    html: str | None = ""
    reason: str = ""
    problem: str = ""
    params: dict[str, Any] = {}
    rest: list[str]
    errors: list[FieldProblem] = []


@options.post("/launch/options")
async def show_options(body: FormBody, deck: DeckDep) -> OptionsForm:
    """Return the fields of a script, filled in from its arguments."""
    try:
        target, values = await deck.lanes.launching.run(_asked_target, deck, body)
    except InvalidRequest as error:
        # Not an error: while the user types a path, it is usually wrong.
        return OptionsForm(problem=error.errors[0].message, rest=body.args)
    return await asking(deck, lambda asked: _form(inspect(asked, target), values, body.args, shown=body.form))


def known_options(deck: Deck, *, script: str | None, run: RunView | None) -> OptionsForm | None:
    """Return the fields of a script, or of a run's script, without running or storing anything.

    Return None if the script would have to be run. That waits for the user: any site can open `/launch` in a browser.
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
    """Return the fields; `values` are the parameters of the run to repeat."""
    schema = inspection.schema
    if schema is None:
        return OptionsForm(reason=inspection.reason, rest=args)
    read = _read_arguments(schema, args)
    form = hashlib.sha256(json.dumps([schema, values], sort_keys=True).encode()).hexdigest()
    html = None if form == shown else render_options(schema, values or {}, repeated=values is not None)
    return OptionsForm(form=form, html=html, params=read.params, rest=read.rest, errors=field_problems(read.errors))


def _asked_target(deck: Deck, body: FormBody) -> tuple[Target | None, dict[str, Any] | None]:
    """Return the script to inspect, and the parameters of the run to repeat."""
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
        # Help, or an option that the script hides: there is no field for it.
        return _Arguments(rest=args)
    return _Arguments(rest=reading.extras, params=reading.values)
