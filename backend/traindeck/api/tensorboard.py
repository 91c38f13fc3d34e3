"""`/runs/N/tensorboard/`: a real TensorBoard over what the run wrote; `/runs/N/tensorboard-state`: how far it is."""

from dataclasses import replace

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.api.visitor import refuse_foreign_boards
from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.state import State
from traindeck.launches.boardset import board_of
from traindeck.runs.imported import imported_from
from traindeck.runs.queries import find_run
from traindeck.runs.status import Status

router = APIRouter(include_in_schema=False, dependencies=[Depends(refuse_foreign_boards)])
states = APIRouter(tags=["runs"], route_class=StrictRoute)


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


class BoardStateView(BaseModel):
    """One look at a board. Where it is not open, nothing of it was read."""

    state: State = Field(
        description="waiting: the run has not begun; gone: its files are not there; empty: it has written nothing that "
        "TensorBoard shows; away: TensorBoard does not run now; closed: it opens at the next look; reading; current; "
        "full: there is no memory for more than was read"
    )
    disk_bytes: int = Field(description="Size of the event files")
    read_bytes: int = Field(description="How much of them the board has taken in")
    last_step: int | None = Field(description="The highest step that it has taken in")
    reason: str = Field(description='Why TensorBoard is away, or ""')


@states.get("/runs/{run_id}/tensorboard-state", operation_id="getBoardState", responses=responses(404, 422))
async def get_board_state(run_id: RunId, deck: DeckDep) -> BoardStateView:
    """Tell how far the run's TensorBoard is; asking opens none. One that is open takes in what is new."""
    board, has_begun = await run_in_threadpool(_board_begun, deck, run_id)
    state = await deck.boards.state(board, f"/runs/{run_id}/tensorboard")
    view = BoardStateView.model_validate(state, from_attributes=True)
    return view if has_begun else view.model_copy(update={"state": State.WAITING})


def _board_begun(deck: Deck, run_id: int) -> tuple[BoardSpec, bool]:
    with deck.database.read() as session:
        run = find_run(session, run_id)
    begun = run.attempt > 0 or Status(run.status).is_final
    return board_of(run, deck.files), begun
