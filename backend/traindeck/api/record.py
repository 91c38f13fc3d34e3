"""`/runs/N/record`: what a run ran with."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from traindeck.api.attempt import AttemptNumber, attempt_number
from traindeck.api.deck import DeckDep
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.api.visitor import VARY, wants_fragment, wants_page
from traindeck.pages.setup_tab import render_setup
from traindeck.provenance.record_reader import read_record_of
from traindeck.runs.queries import find_run, show_run
from traindeck.runs.view import RecordView
from traindeck.sources.runcode import code_of

router = APIRouter(tags=["runs"], route_class=StrictRoute)


@router.get(
    "/runs/{run_id}/record",
    operation_id="getRecord",
    response_model=RecordView,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **responses(404, 422)},
)
def get_record(
    request: Request, response: Response, run_id: RunId, deck: DeckDep, attempt: AttemptNumber = None
) -> RecordView | Response:
    """Show what an attempt ran with: command, code, git, interpreter, packages, environment, machine.

    It is written within seconds of the start. Secrets in the environment are masked. A browser is shown the run's page.
    """
    response.headers.update(VARY)
    with deck.database.read() as session:
        run = find_run(session, run_id)
        view = show_run(session, run_id, deck.slots.capacity)
    files = deck.files.run(run_id)
    # Asked first: what is written in between is in the record then.
    asks_git = deck.code.git.is_asking(files.folder)
    record = read_record_of(run, files, attempt_number(run, attempt))
    if not wants_page(request):
        return record
    if not wants_fragment(request):
        return RedirectResponse(f"/runs/{run_id}#setup", 303, VARY)
    tree = code_of(files.folder)
    kept = [(file.path, file.size) for file in tree.files] if tree else []
    page = render_setup(view, record, kept, asks_git=asks_git)
    return HTMLResponse(page, headers=VARY)
