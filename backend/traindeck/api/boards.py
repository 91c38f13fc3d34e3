"""`/boards/`: one TensorBoard over several runs, named by their numbers or by a filter.

TensorBoard's page asks for its data below its own address, without the query. So what it shows stands in the path:
`/boards/runs-41,42/`, and for a filter its text in base64url, `/boards/q-…/`. Nothing is stored, and such an address
can be kept.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.api.tensorboard import BoardStateView
from traindeck.api.visitor import VARY, refuse_foreign_boards, wants_page
from traindeck.boards.boardspec import SHARED_PATH
from traindeck.launches.boardset import MAX_FILTER, MOST, BoardSet, board_set, name_of
from traindeck.pages.board_page import render_board

OWN = [Depends(refuse_foreign_boards)]
router = APIRouter(tags=["runs"], route_class=StrictRoute, dependencies=OWN)
below = APIRouter(include_in_schema=False, dependencies=OWN)

HTML = {"text/html": {"schema": {"type": "string"}}}

Numbers = Annotated[str | None, Query(max_length=2100, description="Numbers of runs", examples=["41,42,57"])]
Filter = Annotated[
    str | None,
    Query(
        max_length=MAX_FILTER,
        description=f"A filter, as of the list of runs: the newest {MOST} runs that match, whichever these are",
    ),
]


class BoardSetState(BoardStateView):
    """One look at a board of several runs."""

    runs: int = Field(description=f"How many runs the board shows, {MOST} at most")
    count: str = Field(description="The same for people", examples=["newest 100 of 240 runs"])
    live: bool = Field(description="Whether there may be more to show later")


@router.get(
    "/boards/",
    operation_id="openBoard",
    status_code=307,
    response_class=RedirectResponse,
    responses={200: {"content": HTML}, **responses(422)},
)
def open_board(request: Request, deck: DeckDep, runs: Numbers = None, q: Filter = None) -> Response:
    """Open a TensorBoard over several runs: leads to the address of the board; a page around it for a browser."""
    name = name_of(runs, q)
    if not wants_page(request):
        return RedirectResponse(f"/boards/{name}/", headers=VARY)
    shown = _board_set(deck, name)
    numbers = name.removeprefix("runs-").split(",") if q is None else []
    page = render_board(f"/boards/{name}", request.url.query, shown.count, q, numbers, deck=deck.state())
    return HTMLResponse(page, headers=VARY)


@router.get("/boards/state", operation_id="getBoardSetState", responses=responses(422))
async def get_board_set_state(deck: DeckDep, runs: Numbers = None, q: Filter = None) -> BoardSetState:
    """Tell how far the TensorBoard of several runs is; asking opens none. One that is open takes in what is new."""
    name = name_of(runs, q)
    shown = await run_in_threadpool(_board_set, deck, name)
    state = await deck.boards.state(shown.board, f"/boards/{name}")
    view = BoardStateView.model_validate(state, from_attributes=True)
    return BoardSetState(**view.model_dump(), runs=shown.runs, count=shown.count, live=shown.live)


@below.api_route(SHARED_PATH + "{name}", methods=["GET", "HEAD"])
async def show_shared(request: Request, deck: DeckDep) -> Response:
    """What all boards share: TensorBoard's script."""
    return await deck.boards.shared(request)


@below.api_route("/boards/{board}", methods=["GET", "HEAD"])
async def redirect_to_board(request: Request, board: str, deck: DeckDep) -> Response:
    """The board's address ends in a slash."""
    return await deck.boards.proxy(request, (await run_in_threadpool(_board_set, deck, board)).board, "")


@below.api_route("/boards/{board}/{path:path}", methods=["GET", "HEAD", "POST"])
async def show_board(request: Request, board: str, path: str, deck: DeckDep) -> Response:
    """Whatever TensorBoard answers."""
    return await deck.boards.proxy(request, (await run_in_threadpool(_board_set, deck, board)).board, path)


def _board_set(deck: Deck, name: str) -> BoardSet:
    return deck.board_sets.get(name, deck.changes.count, lambda: board_set(deck.database, deck.files, name))
