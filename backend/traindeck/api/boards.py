"""`/boards/`: one TensorBoard over several runs, named by their numbers or by a filter.

TensorBoard's page asks for its data below its own address, without the query. So what it shows stands in the path:
`/boards/runs-41,42/`, and for a filter its text in base64url, `/boards/q-…/`. Nothing is stored, and such an address
can be kept.
"""

import base64
import binascii
import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlmodel import col
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from traindeck.api.boardnames import board_name
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.api.tensorboard import board_over
from traindeck.boards.spec import BoardSpec
from traindeck.db.tables import Run
from traindeck.errors import FieldError, InvalidRequest
from traindeck.pages.compare import COLOURS, run_colours
from traindeck.runs.filters import parse_filter

router = APIRouter(tags=["runs"], route_class=StrictRoute)
below = APIRouter(include_in_schema=False)

MOST = 100
"""Runs on one board."""

MAX_RUN_ID = 2**63 - 1
MAX_FILTER = 1000


@router.get("/boards/", operation_id="openBoard", status_code=307, response_class=RedirectResponse,
            responses=responses(422))  # fmt: skip
def open_board(
    runs: Annotated[str | None, Query(max_length=2100, description="Numbers of runs", examples=["41,42,57"])] = None,
    q: Annotated[str | None, Query(max_length=MAX_FILTER, description="A filter, as of the list of runs: "
                                   f"the newest {MOST} runs that match, whichever these are")] = None,
) -> Response:  # fmt: skip
    """Open a TensorBoard over several runs: leads to the address of the board."""
    if (runs is None) == (q is None):
        raise InvalidRequest([FieldError("runs", "give either runs, such as 41,42,57, or a filter q")])
    if runs is not None:
        return RedirectResponse(f"/boards/runs-{','.join(map(str, run_numbers(runs)))}/")
    parse_filter(q or "")
    return RedirectResponse(f"/boards/q-{encoded(q or '')}/")


@below.api_route("/boards/{board}", methods=["GET", "HEAD"])
async def redirect_to_board(request: Request, board: str, deck: DeckDep) -> Response:
    """The board's address ends in a slash."""
    return await deck.boards.proxy(request, await run_in_threadpool(_board, deck, board), "")


@below.api_route("/boards/{board}/{path:path}", methods=["GET", "HEAD", "POST"])
async def show_board(request: Request, board: str, path: str, deck: DeckDep) -> Response:
    """Whatever TensorBoard answers."""
    return await deck.boards.proxy(request, await run_in_threadpool(_board, deck, board), path)


def run_numbers(text: str) -> list[int]:
    """The runs that a list such as 41,42 names, each once, in its order.

    Raises:
        InvalidRequest: it is no such list, names no run, or more than a board shows.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(re.fullmatch(r"[0-9]{1,19}", part) and 1 <= int(part) <= MAX_RUN_ID for part in parts):
        raise InvalidRequest([FieldError("runs", "runs must be numbers of runs such as 41,42")])
    numbers = list(dict.fromkeys(int(part) for part in parts))
    if len(numbers) > MOST:
        raise InvalidRequest([FieldError("runs", f"runs names {len(numbers)} runs, but a board shows {MOST} at most")])
    return numbers


def encoded(q: str) -> str:
    """A filter as a part of a path."""
    return base64.urlsafe_b64encode(q.encode()).decode().rstrip("=")


def _board(deck: Deck, name: str) -> BoardSpec:
    """The board that the part of the path behind /boards/ stands for, with the runs that there are now."""
    return deck.board_sets.get(name, deck.changes.count, lambda: _made(deck, name))


def _made(deck: Deck, name: str) -> BoardSpec:
    kind, _, what = name.partition("-")
    if kind == "runs":
        runs = _named(deck, run_numbers(what))
        id_, title = f"runs-{what[:40]}", f"{len(runs)} runs · TensorBoard"
    elif kind == "q":
        runs, title = _matching(deck, _decoded(what))
        id_ = "filter"
    else:
        raise HTTPException(404, "There is no such board. /boards/?runs=41,42 opens one over runs 41 and 42.")
    names = {board_name(run.id or 0, run.name): run for run in runs}
    colours = run_colours([run.id or 0 for run in runs[:COLOURS]])
    wanted = {prefix: colours.get(run.id or 0, (run.id or 0) % COLOURS + 1) for prefix, run in names.items()}
    return board_over(id_, deck.files, names, wanted, title)


def _named(deck: Deck, numbers: list[int]) -> list[Run]:
    with deck.database.read() as session:
        found = {run.id: run for run in session.execute(select(Run).where(col(Run.id).in_(numbers))).scalars()}
    return [found[number] for number in numbers if number in found]


def _matching(deck: Deck, q: str) -> tuple[list[Run], str]:
    """The newest runs that match, and a title that says how many there are."""
    conditions = parse_filter(q)
    with deck.database.read() as session:
        runs = list(session.execute(select(Run).where(*conditions).order_by(col(Run.id).desc()).limit(MOST)).scalars())
        total = len(runs)
        if total == MOST:
            total = session.execute(select(func.count()).select_from(Run).where(*conditions)).scalar_one()
    count = f"newest {MOST} of {total} runs" if total > MOST else f"{total} run{'' if total == 1 else 's'}"
    return runs, f"{count} · {q or 'all'} · TensorBoard"


def _decoded(text: str) -> str:
    try:
        q = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
    except (ValueError, binascii.Error):
        q = " "
    if len(q) > MAX_FILTER or encoded(q) != text:
        raise HTTPException(404, "There is no such board. /boards/?q=tag:baseline opens one over all runs that match.")
    return q
