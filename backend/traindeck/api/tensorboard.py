"""`/runs/N/tensorboard/`: a real TensorBoard over what the run wrote."""

from pathlib import Path

from fastapi import APIRouter, Request, Response

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.runs import RunId
from traindeck.boards.session import session_of
from traindeck.boards.spec import BoardSpec
from traindeck.runs.queries import find_run

router = APIRouter(include_in_schema=False)


@router.api_route("/runs/{run_id}/tensorboard", methods=["GET", "HEAD"])
async def redirect_to_board(request: Request, run_id: RunId, deck: DeckDep) -> Response:
    """The board's address ends in a slash."""
    return await deck.boards.proxy(request, _board(deck, run_id), "")


@router.api_route("/runs/{run_id}/tensorboard/{path:path}", methods=["GET", "HEAD", "POST"])
async def show_board(request: Request, run_id: RunId, path: str, deck: DeckDep) -> Response:
    """Whatever TensorBoard answers."""
    return await deck.boards.proxy(request, _board(deck, run_id), path)


def _board(deck: Deck, run_id: int) -> BoardSpec:
    with deck.database.read() as session:
        run = find_run(session, run_id)
        attempt, params = run.attempt, run.params
    folders = _folders(deck, run_id, attempt)
    sessions = {prefix: session_of(params, work.parent) for prefix, work in folders.items()}
    return BoardSpec(f"run-{run_id}", folders, {prefix: one for prefix, one in sessions.items() if one})


def _folders(deck: Deck, run_id: int, attempts: int) -> dict[str, Path]:
    run = deck.files.run(run_id)
    if attempts <= 1:
        return {"": run.attempt(1).work}
    return {f"attempt-{number}": run.attempt(number).work for number in range(1, attempts + 1)}
