"""`/runs/N/cancel`, `/retry`, `/resume`."""

from fastapi import APIRouter

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.runs import commands
from traindeck.runs.queries import find_run, show_run
from traindeck.runs.status import Status
from traindeck.runs.view import RunView

router = APIRouter(tags=["runs"], route_class=StrictRoute)

REFUSALS = responses(404, 409, 413, 415, 422, 507)


@router.post("/runs/{run_id}/cancel", operation_id="cancelRun", responses=REFUSALS)
@in_lane("writing")
def cancel_run(run_id: RunId, deck: DeckDep) -> RunView:
    """Stop a run: a queued one at once, a running one by TERM, and KILL after the grace."""
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
