"""`/runs/N/tensorboard/`: a real TensorBoard over what the run wrote."""

from dataclasses import replace

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from traindeck.api.arrival import refuse_foreign_boards
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lines import lines
from traindeck.api.runs import RunId
from traindeck.boards.session import session_of
from traindeck.boards.spec import BoardSpec
from traindeck.db.tables import Run
from traindeck.runs.files import DeckFiles
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


def board_of(run: Run, files: DeckFiles) -> BoardSpec:
    """The board of one run, all of its attempts."""
    return board_over(f"run-{run.id}", files, {"": run})


def _board(deck: Deck, run_id: int) -> BoardSpec:
    with deck.database.read() as session:
        run = find_run(session, run_id)
    board = board_of(run, deck.files)
    folder = imported_from(deck.files.run(run_id).attempt(1))
    gone = f"{folder}, which this run was imported from, is not there any more. Import it again from where it is now."
    return replace(board, absent=gone) if folder is not None else board


def board_over(
    board_id: str, files: DeckFiles, runs: dict[str, Run], colours: dict[str, int] | None = None, title: str = ""
) -> BoardSpec:
    """A board over runs by the prefixes of their names; attempts that do not go on from each other stand apart."""
    folders, sessions, earlier = {}, {}, {}
    for prefix, run in runs.items():
        run_files = files.run(run.id or 0)
        found = lines(run_files, run.attempt)
        for line in found:
            name = "/".join(filter(None, [prefix, f"attempt-{line[0]}" if len(found) > 1 else ""]))
            *before, last = (run_files.attempt(number) for number in line)
            folders[name] = last.work
            if before:
                earlier[name] = tuple(attempt.work for attempt in before)
            if session := session_of(run.params, last.folder):
                sessions[name] = session
    return BoardSpec(board_id, folders, sessions, earlier, colours or {}, title)
