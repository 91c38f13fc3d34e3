"""`/boards/`: one TensorBoard over several runs, named by their numbers or by a filter.

TensorBoard's page asks for its data below its own address, without the query. So what it shows stands in the path:
`/boards/runs-41,42/`, and for a filter its text in base64url, `/boards/q-…/`. Nothing is stored, and such an address
can be kept.
"""

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from traindeck.api.arrival import refuse_foreign_boards
from traindeck.api.board_state import BoardStateView
from traindeck.api.boardnames import board_name
from traindeck.api.boardsets import BoardSet
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.negotiation import VARY, wants_page
from traindeck.api.problems import responses
from traindeck.api.runnumbers import run_numbers
from traindeck.api.strict import StrictRoute
from traindeck.api.tensorboard import board_over
from traindeck.boards.spec import SHARED_PATH
from traindeck.counting import counted
from traindeck.db.tables import Run
from traindeck.errors import FieldError, InvalidRequest
from traindeck.pages.board_page import render_board
from traindeck.pages.compare_page import COLOURS, run_colours
from traindeck.runs.filters import parse_filter
from traindeck.runs.queries import newest_matching
from traindeck.runs.status import Status

OWN = [Depends(refuse_foreign_boards)]
router = APIRouter(tags=["runs"], route_class=StrictRoute, dependencies=OWN)
below = APIRouter(include_in_schema=False, dependencies=OWN)

MOST = 100
"""Runs on one board."""
RULE = f"a board needs numbers of runs, {MOST} at most"

MAX_FILTER = 1000
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
    name = _name(runs, q)
    if not wants_page(request):
        return RedirectResponse(f"/boards/{name}/", headers=VARY)
    shown = _board_set(deck, name)
    numbers = name.removeprefix("runs-").split(",") if q is None else []
    page = render_board(f"/boards/{name}", request.url.query, shown.count, q, numbers, deck=deck.state())
    return HTMLResponse(page, headers=VARY)


@router.get("/boards/state", operation_id="getBoardSetState", responses=responses(422))
async def get_board_set_state(deck: DeckDep, runs: Numbers = None, q: Filter = None) -> BoardSetState:
    """Tell how far the TensorBoard of several runs is; asking opens none. One that is open takes in what is new."""
    name = _name(runs, q)
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


def _name(runs: str | None, q: str | None) -> str:
    """The part of the path behind /boards/ that stands for these runs.

    Raises:
        InvalidRequest: neither or both are given, or one is no list and no filter.
    """
    if (runs is None) == (q is None):
        raise InvalidRequest([FieldError("runs", "give either runs, such as 41,42,57, or a filter q")])
    if runs is not None:
        return f"runs-{','.join(map(str, run_numbers(runs, 1, MOST, RULE)))}"
    parse_filter(q or "")
    return f"q-{encoded(q or '')}"


def encoded(q: str) -> str:
    """A filter as a part of a path."""
    return base64.urlsafe_b64encode(q.encode()).decode().rstrip("=")


def _board_set(deck: Deck, name: str) -> BoardSet:
    """What the part of the path behind /boards/ stands for, with the runs that there are now."""
    return deck.board_sets.get(name, deck.changes.count, lambda: _made(deck, name))


def _made(deck: Deck, name: str) -> BoardSet:
    kind, _, what = name.partition("-")
    if kind == "runs":
        runs = _named(deck, run_numbers(what, 1, MOST, RULE))
        count = counted(len(runs), "run")
        id_, title = f"runs-{what[:40]}", f"{count} · TensorBoard"
    elif kind == "q":
        q = _decoded(what)
        runs, count = _matching(deck, q)
        id_, title = "filter", f"{count} · {q or 'all'} · TensorBoard"
    else:
        raise HTTPException(404, "There is no such board. /boards/?runs=41,42 opens one over runs 41 and 42.")
    names = {board_name(run.id or 0, run.name): run for run in runs}
    colours = run_colours([run.id or 0 for run in runs[:COLOURS]])
    wanted = {prefix: colours.get(run.id or 0, (run.id or 0) % COLOURS + 1) for prefix, run in names.items()}
    live = kind == "q" or not all(Status(run.status).is_final for run in runs)
    return BoardSet(board_over(id_, deck.files, names, wanted, title), len(runs), count, live)


def _named(deck: Deck, numbers: list[int]) -> list[Run]:
    with deck.database.read() as session:
        found = {run.id: run for run in session.execute(select(Run).where(col(Run.id).in_(numbers))).scalars()}
    return [found[number] for number in numbers if number in found]


def _matching(deck: Deck, q: str) -> tuple[list[Run], str]:
    """The newest runs that match, and in words how many there are."""
    with deck.database.read() as session:
        runs, total, exact = newest_matching(session, q, MOST)
    matching = counted(total, "run") if exact else f"{total:,}+ runs"
    return runs, f"newest {MOST} of {matching}" if total > MOST else matching


def _decoded(text: str) -> str:
    try:
        q = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
    except (ValueError, binascii.Error):
        q = " "
    if len(q) > MAX_FILTER or encoded(q) != text:
        raise HTTPException(404, "There is no such board. /boards/?q=tag:baseline opens one over all runs that match.")
    return q
