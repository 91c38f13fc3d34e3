"""`/runs`: queue, list, show, change, delete, cancel and repeat runs; `/imports`: make runs from event files."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response, status
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import asking, in_lane
from traindeck.api.problems import responses
from traindeck.api.uploads import LAUNCH_BODY, LaunchRoute
from traindeck.api.visitor import VARY, led_from_elsewhere, wants_fragment, wants_page
from traindeck.db.tables import LARGEST_INTEGER
from traindeck.events.elsewhere import unreadable_folders
from traindeck.events.seriesnames import readable
from traindeck.launches.importing import ImportBody, ImportView, import_below
from traindeck.launches.lines import line_before, line_problems
from traindeck.launches.repetition import prepare_again, resolve_again, submit_again
from traindeck.launches.requests import Body, LaunchBody, Name, Priority, RerunBody, Tags, Text
from traindeck.launches.submission import prepare, resolve, submit
from traindeck.pages.run_page import render_run
from traindeck.pages.runs_page import ListQuery, render_runs
from traindeck.runs import commands
from traindeck.runs.checkpoints import last_checkpoint, way_to_resume
from traindeck.runs.files import remove_files
from traindeck.runs.queries import RunsQuery, find_run, list_runs, read_directions, run_history, show_run
from traindeck.runs.status import Status
from traindeck.runs.view import RunPage, RunView

router = APIRouter(tags=["runs"], route_class=LaunchRoute)

RunId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description="The number of the run", examples=[42])]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=200, description="Repeating a request with its key is safe")
]
FOLDERS_NAMED = 3
HTML = {"text/html": {"schema": {"type": "string"}}}
REFUSALS = responses(404, 409, 413, 415, 422, 507)
AS_IT_WAS = RerunBody()


@router.post(
    "/runs",
    status_code=status.HTTP_201_CREATED,
    operation_id="launchRun",
    openapi_extra=LAUNCH_BODY,
    responses=responses(413, 415, 422, 507),
)
async def launch_run(
    body: LaunchBody,
    deck: DeckDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> RunView:
    """Queue a run. It starts at once if its slots are free."""
    pad = deck.launchpad
    launch = await deck.lanes.launching.run(prepare, pad, body)
    spec = await asking(deck, partial(resolve, pad, launch), trainer=body.trainer, unchecked=not launch.checked)
    view = await deck.lanes.writing.run(submit, pad, launch, spec, idempotency_key)
    response.headers["Location"] = f"/runs/{view.id}"
    return view


@router.get(
    "/runs",
    operation_id="listRuns",
    response_model=RunPage,
    responses={200: {"content": HTML}, **responses(422)},
)
def get_runs(
    request: Request,
    response: Response,
    deck: DeckDep,
    q: Annotated[str, Query(max_length=1000, description="A filter: words, and comparisons of fields",
                            examples=["status:running params.epochs>=3"])] = "",
    sort: Annotated[str, Query(max_length=500, description="A field, or params.NAME, or metrics.TAG; - for descending",
                               examples=["-metrics.Accuracy/validation"])] = "-created",
    limit: Annotated[int, Query(ge=1, le=500, description="Runs on a page")] = 50,
    cursor: Annotated[str | None, Query(max_length=2000, description="next_cursor of the page before")] = None,
    status: Annotated[Status | None, Query(description="Only runs of this status")] = None,
) -> RunPage | Response:  # fmt: skip
    """List runs: a page for browsers, JSON for programs."""
    response.headers.update(VARY)
    with deck.database.read() as session:
        page = list_runs(session, RunsQuery(q, sort, limit, cursor, status), deck.slots.capacity)
        said = read_directions(session)
    if not wants_page(request):
        return page
    query = ListQuery(q=q, sort=sort, status=status, cursor=cursor)
    return HTMLResponse(
        render_runs(page, query=query, deck=deck.state(), fragment=wants_fragment(request), said=said), headers=VARY
    )


@router.get(
    "/runs/{run_id}",
    operation_id="getRun",
    response_model=RunView,
    responses={200: {"content": HTML}, **responses(404, 422)},
)
def get_run(request: Request, response: Response, run_id: RunId, deck: DeckDep) -> RunView | Response:
    """Show one run: a page for browsers, JSON for programs."""
    response.headers.update(VARY)
    with deck.database.read() as session:
        view = show_run(session, run_id, deck.slots.capacity)
        if not wants_page(request):
            return view
        history = run_history(session, run_id)
        run = find_run(session, run_id)
        said = read_directions(session)
    checkpoint = last_checkpoint(deck.files, run)
    installed = deck.registry.trainers.get(view.trainer or "")
    page = render_run(
        view,
        history=history,
        attempts=list(range(1, view.attempt + 1)),
        trainer_title=installed.title if installed else None,
        checkpoint=checkpoint,
        told=way_to_resume(view.script, deck.files.run(run_id).folder) if checkpoint else None,
        fragment=wants_fragment(request),
        deck=deck.state(),
        opens_board=not led_from_elsewhere(request),
        said=said,
        problems=[] if wants_fragment(request) else _problems(deck, view),
        unreadable=_unreadable(deck, view),
    )
    return HTMLResponse(page, headers=VARY)


def _problems(deck: Deck, run: RunView) -> list[str]:
    files = deck.files.run(run.id)
    return line_problems(files, run.attempt, line_before(files, run.attempt)) if run.attempt else []


def _unreadable(deck: Deck, run: RunView) -> list[str]:
    """Return the unreadable folders of event files that a run without scalars has made."""
    if run.metrics or not run.attempt:
        return []
    work = deck.files.run(run.id).attempt(run.attempt).work
    return [readable(folder) for folder in unreadable_folders(work, FOLDERS_NAMED)]


class EditBody(Body):
    """The changes of a run; omitted fields stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "baseline", "tags": ["good"]}]})

    name: Name | None = None
    tags: Tags | None = None
    notes: Text | None = None
    priority: Priority | None = None


@router.patch("/runs/{run_id}", operation_id="editRun", responses=responses(404, 413, 415, 422, 507))
@in_lane("writing")
def edit_run(run_id: RunId, body: EditBody, deck: DeckDep) -> RunView:
    """Change a run's name, tags, notes or priority. Omitted fields, and null, stay."""
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    with deck.database.write() as session:
        commands.edit(session, run_id, changes)
        view = show_run(session, run_id, deck.slots.capacity)
    deck.dispatcher.wake()
    return view


@router.delete(
    "/runs/{run_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="deleteRun",
    responses=REFUSALS,
)
@in_lane("files")
def delete_run(run_id: RunId, deck: DeckDep) -> None:
    """Delete a run that has ended, with all of its files."""
    with deck.database.write() as session:
        commands.remove(session, run_id)
    remove_files(deck.files, run_id)


@router.post("/runs/{run_id}/cancel", operation_id="cancelRun", responses=REFUSALS)
@in_lane("writing")
def cancel_run(run_id: RunId, deck: DeckDep) -> RunView:
    """Stop a run: at once if it is queued, else by TERM, and by KILL after the grace period."""
    with deck.database.write() as session:
        now = commands.cancel(session, run_id)
        session.expire_all()
        view = show_run(session, run_id, deck.slots.capacity)
    if now is Status.STOPPING:
        deck.dispatcher.stop_run(run_id)
    return view


@router.post("/runs/{run_id}/retry", operation_id="retryRun", responses=REFUSALS)
@in_lane("files")
def retry_run(run_id: RunId, deck: DeckDep) -> RunView:
    """Queue a new attempt of a run that has ended, from its beginning."""
    return _start_again(deck, run_id, resume=False)


@router.post("/runs/{run_id}/resume", operation_id="resumeRun", responses=REFUSALS)
@in_lane("files")
def resume_run(run_id: RunId, deck: DeckDep) -> RunView:
    """Queue a new attempt of a run that has ended, from its last checkpoint."""
    return _start_again(deck, run_id, resume=True)


def _start_again(deck: Deck, run_id: int, *, resume: bool) -> RunView:
    if resume:
        with deck.database.read() as session:
            run = find_run(session, run_id)
        commands.check_resume(deck.files, run)
    with deck.database.write() as session:
        commands.start_again(session, run_id, resume=resume)
        view = show_run(session, run_id, deck.slots.capacity)
    deck.dispatcher.wake()
    return view


@router.post(
    "/runs/{run_id}/rerun",
    status_code=status.HTTP_201_CREATED,
    operation_id="rerun",
    responses=REFUSALS,
)
async def rerun(
    run_id: RunId,
    deck: DeckDep,
    response: Response,
    body: RerunBody = AS_IT_WAS,
    idempotency_key: IdempotencyKey = None,
) -> RunView:
    """Queue a new run like this one: same code, parameters, environment and interpreter."""
    pad = deck.launchpad
    again = await deck.lanes.launching.run(prepare_again, pad, run_id, body)
    spec = await asking(deck, partial(resolve_again, pad, again), trainer=again.asked.trainer)
    view = await deck.lanes.writing.run(submit_again, pad, spec, idempotency_key)
    response.headers["Location"] = f"/runs/{view.id}"
    return view


@router.post("/imports", operation_id="importFolder", responses=responses(409, 413, 415, 422, 507))
@in_lane("importing")
def import_folder(body: ImportBody, deck: DeckDep) -> ImportView:
    """Make a completed run of each folder of event files at or below a folder. Repeating this makes no other runs."""
    return import_below(deck.launchpad, body, deck.settings.import_limit_mb * 1_000_000)
