"""The pages that are not also data: the launch form, and what a browser asks for by itself."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.form import known_options
from traindeck.api.visitor import VARY, led_from_elsewhere
from traindeck.db.tables import LARGEST_INTEGER
from traindeck.errors import LedFromElsewhere
from traindeck.pages.launch_page import BrokenTrainerView, Repeated, TrainerView, render_launch
from traindeck.pages.program_text import program_name
from traindeck.pages.resources import static_folder
from traindeck.provenance.masking import mask_variables
from traindeck.runner.program import Program
from traindeck.runs.queries import find_run, show_run
from traindeck.runs.view import RunView

router = APIRouter(include_in_schema=False)

ANEW = {
    "path": "The file as it is now",
    "source": "Edit the source",
    "module": "The module as it is now",
    "command": "Another command",
    "upload": "Another upload",
}
"""The other choice than the code that the run had."""


@router.get("/")
def go_to_runs() -> Response:
    """The deck's front page is the list of runs."""
    return RedirectResponse("/runs", 307)


@router.get("/favicon.ico")
def favicon() -> Response:
    """For browsers that ask for it whatever the page says."""
    return FileResponse(static_folder() / "img" / "logo.svg", media_type="image/svg+xml")


@router.get("/launch")
def show_launch(
    request: Request,
    deck: DeckDep,
    trainer: Annotated[str | None, Query(max_length=200)] = None,
    run: Annotated[int | None, Query(alias="from", ge=1, le=LARGEST_INTEGER)] = None,
    script: Annotated[str | None, Query(max_length=4096)] = None,
) -> HTMLResponse:
    """Show the form, empty, or filled in from an earlier run. No script is run for it.

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
    """A POST /runs body that would ask for the same, its secrets masked, what the page says of the run, and the run."""
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
    """The script of a POST /runs body. What was uploaded is to be uploaded again."""
    given = script.start()
    if script.kind == "source":
        kept = deck.files.run(run_id).code / script.filename
        source = kept.read_text(errors="replace") if kept.is_file() else ""
        return {**given, "source": source, "filename": script.filename}
    if script.kind == "upload":
        return {**given, "upload": True}
    return {**given, script.kind: script.as_json()[script.kind]}
