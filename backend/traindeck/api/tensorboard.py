"""`/runs/N/tensorboard/`: a real TensorBoard over what the run wrote."""

from dataclasses import replace

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from traindeck.api.arrival import refuse_foreign_boards
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.runs import RunId
from traindeck.boards.spec import BoardSpec
from traindeck.launches.boardset import board_of
from traindeck.runs.imported import imported_from
from traindeck.runs.queries import find_run

router = APIRouter(include_in_schema=False, dependencies=[Depends(refuse_foreign_boards)])


@router.api_route("/runs/{run_id}/tensorboard", methods=["GET", "HEAD"])
async def redirect_to_board(request: Request, run_id: RunId, deck: DeckDep) -> Response:
    """The board's address ends in a slash."""
    return await deck.boards.proxy(request, await run_in_threadpool(_board, deck, run_id), "")


@router.api_route("/runs/{run_id}/tensorboard/{path:path}", methods=["GET", "HEAD", "POST"])
async def show_board(request: Request, run_id: RunId, path: str, deck: DeckDep) -> Response:
    """Whatever TensorBoard answers."""
    return await deck.boards.proxy(request, await run_in_threadpool(_board, deck, run_id), path)


def _board(deck: Deck, run_id: int) -> BoardSpec:
    with deck.database.read() as session:
        run = find_run(session, run_id)
    board = board_of(run, deck.files)
    folder = imported_from(deck.files.run(run_id).attempt(1))
    gone = f"{folder}, which this run was imported from, is not there any more. Import it again from where it is now."
    return replace(board, absent=gone) if folder is not None else board
