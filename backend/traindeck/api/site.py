"""The pages that are not also data: the launch form, and what a browser asks for by itself."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.negotiation import VARY
from traindeck.pages.launch import BrokenTrainer, TrainerView, render_launch
from traindeck.pages.resources import static_folder
from traindeck.runs.queries import find_run, show_run

router = APIRouter(include_in_schema=False)


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
    deck: DeckDep,
    trainer: Annotated[str | None, Query(max_length=200)] = None,
    run: Annotated[int | None, Query(alias="from", ge=1, le=2**63 - 1)] = None,
    script: Annotated[str | None, Query(max_length=4096)] = None,
) -> HTMLResponse:
    """The form, empty, or filled in from an earlier run."""
    values = _values_of(deck, run) if run is not None else {}
    if script is not None:
        values = {**values, "script": {"path": script}}
    trainers = [
        TrainerView(one.name, one.title, one.description, one.schema()) for one in deck.registry.trainers.values()
    ]
    broken = [BrokenTrainer(one.name, f"{one.package}: {one.reason}") for one in deck.registry.broken]
    selected = trainer or values.get("trainer")
    return HTMLResponse(render_launch(trainers, broken, selected, values, deck.state()), headers=VARY)


def _values_of(deck: Deck, run_id: int) -> dict[str, Any]:
    with deck.database.read() as session:
        view = show_run(session, run_id, deck.slots.capacity)
        row = find_run(session, run_id)
    values = json.loads(view.model_dump_json(include={"trainer", "params", "tags", "notes", "priority", "resources"}))
    script = view.script and _script_values(deck, run_id, view.script.model_dump())
    return {**values, "script": script, "env": row.env, "max_retries": row.max_retries}


def _script_values(deck: Deck, run_id: int, script: dict[str, Any]) -> dict[str, Any]:
    if script["path"]:
        return {"path": script["path"], "args": script["args"]}
    source = (deck.files.run(run_id).code / script["filename"]).read_text(errors="replace")
    return {"source": source, "filename": script["filename"], "args": script["args"]}
