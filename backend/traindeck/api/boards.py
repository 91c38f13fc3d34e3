"""`/boards/` and `/runs/N/tensorboard/`: TensorBoard over several runs or one; how far each is.

TensorBoard's page requests its data below its own address, without the query. Therefore the path says what is shown:
`/boards/runs-41,42/`, or `/boards/q-…/` with the text of a filter in base64url. Nothing is stored, and such an address
stays valid.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.api.visitor import VARY, refuse_foreign_boards, wants_page
from traindeck.boards.boardspec import SHARED_PATH, BoardSpec
from traindeck.boards.state import BoardPhase
from traindeck.launches.boardset import MAX_FILTER, MOST, BoardSet, board_of, board_set, name_of
from traindeck.pages.board_page import render_board
from traindeck.runs.imported import imported_from
from traindeck.runs.queries import find_run
from traindeck.runs.status import Status

OWN = [Depends(refuse_foreign_boards)]
router = APIRouter(tags=["runs"], route_class=StrictRoute)
proxied = APIRouter(include_in_schema=False, dependencies=OWN)

HTML = {"text/html": {"schema": {"type": "string"}}}

Numbers = Annotated[str | None, Query(max_length=2100, description="Numbers of runs", examples=["41,42,57"])]
Filter = Annotated[
    str | None,
    Query(max_length=MAX_FILTER, description=f"A filter, as of the list of runs: the newest {MOST} matching runs"),
]


class BoardStateView(BaseModel):
    """The state of a board. A board that is not open has read nothing."""

    state: BoardPhase = Field(
        description="waiting: the run has not begun; gone: its files are not there; empty: it has written nothing that "
        "TensorBoard shows; away: TensorBoard does not run now; closed: it opens at the next look; reading; current; "
        "full: there is no memory for more than was read"
    )
    disk_bytes: int = Field(description="Size of the event files")
    read_bytes: int = Field(description="How many of them the board has read")
    last_step: int | None = Field(description="The highest step that it has read")
    reason: str = Field(description='Why TensorBoard is away, or ""')


class BoardSetState(BoardStateView):
    """The state of a board over several runs."""

    runs: int = Field(description=f"The number of runs that the board shows, {MOST} at most")
    count: str = Field(description="The same as text", examples=["newest 100 of 240 runs"])
    live: bool = Field(description="Whether the board may show more later")


@router.get(
    "/boards/",
    dependencies=OWN,
    operation_id="openBoard",
    status_code=307,
    response_class=RedirectResponse,
    responses={200: {"content": HTML}, **responses(422)},
)
def open_board(request: Request, deck: DeckDep, runs: Numbers = None, q: Filter = None) -> Response:
    """Open a TensorBoard over several runs: redirect to the address of the board, or show browsers a page with it."""
    name = name_of(runs, q)
    if not wants_page(request):
        return RedirectResponse(f"/boards/{name}/", headers=VARY)
    shown = _board_set(deck, name)
    numbers = name.removeprefix("runs-").split(",") if q is None else []
    page = render_board(f"/boards/{name}", request.url.query, shown.count, q, numbers, deck=deck.state())
    return HTMLResponse(page, headers=VARY)


@router.get("/boards/state", dependencies=OWN, operation_id="getBoardSetState", responses=responses(422))
async def get_board_set_state(deck: DeckDep, runs: Numbers = None, q: Filter = None) -> BoardSetState:
    """Return the state of a TensorBoard over several runs. This opens no board; an open board reads what is new."""
    name = name_of(runs, q)
    shown = await run_in_threadpool(_board_set, deck, name)
    state = await deck.boards.state(shown.board, f"/boards/{name}")
    view = BoardStateView.model_validate(state, from_attributes=True)
    return BoardSetState(**view.model_dump(), runs=shown.runs, count=shown.count, live=shown.live)


@router.get("/runs/{run_id}/tensorboard-state", operation_id="getBoardState", responses=responses(404, 422))
async def get_board_state(run_id: RunId, deck: DeckDep) -> BoardStateView:
    """Return the state of a run's TensorBoard. This opens no board; an open board reads what is new."""
    board, has_begun = await run_in_threadpool(_board_begun, deck, run_id)
    state = await deck.boards.state(board, f"/runs/{run_id}/tensorboard")
    view = BoardStateView.model_validate(state, from_attributes=True)
    return view if has_begun else view.model_copy(update={"state": BoardPhase.WAITING})


def _board_begun(deck: Deck, run_id: int) -> tuple[BoardSpec, bool]:
    with deck.database.read() as session:
        run = find_run(session, run_id)
    begun = run.attempt > 0 or Status(run.status).is_final
    return board_of(run, deck.files), begun


@proxied.api_route("/runs/{run_id}/tensorboard", methods=["GET", "HEAD"])
@proxied.api_route("/runs/{run_id}/tensorboard/{path:path}", methods=["GET", "HEAD", "POST"])
async def show_board(request: Request, run_id: RunId, deck: DeckDep) -> Response:
    """Return the answer of the run's TensorBoard. Its address ends in a slash; without it, the answer redirects."""
    return await deck.boards.proxy(request, await run_in_threadpool(_board, deck, run_id), _path(request))


@proxied.api_route(SHARED_PATH + "{name}", methods=["GET", "HEAD"])
async def show_shared(request: Request, deck: DeckDep) -> Response:
    """Return what all boards share: TensorBoard's script."""
    return await deck.boards.shared(request)


@proxied.api_route("/boards/{board}", methods=["GET", "HEAD"])
@proxied.api_route("/boards/{board}/{path:path}", methods=["GET", "HEAD", "POST"])
async def show_board_set(request: Request, board: str, deck: DeckDep) -> Response:
    """Return the answer of the TensorBoard over several runs."""
    shown = await run_in_threadpool(_board_set, deck, board)
    return await deck.boards.proxy(request, shown.board, _path(request))


def _path(request: Request) -> str:
    return str(request.path_params.get("path", ""))


def _board(deck: Deck, run_id: int) -> BoardSpec:
    with deck.database.read() as session:
        run = find_run(session, run_id)
    board = board_of(run, deck.files)
    folder = imported_from(deck.files.run(run_id).attempt(1))
    gone = f"{folder}, from which this run was imported, is gone. Import it again from where it is now."
    return replace(board, absent=gone) if folder is not None else board


def _board_set(deck: Deck, name: str) -> BoardSet:
    return deck.board_sets.get(name, deck.changes.count, lambda: board_set(deck.database, deck.files, name))
