"""`/runs/N/rerun`: the same once more, exactly or with a few things changed."""

from functools import partial

from fastapi import APIRouter, Response, status

from traindeck.api.deck import DeckDep
from traindeck.api.lanes import asking
from traindeck.api.problems import responses
from traindeck.api.runs import IdempotencyKey, RunId
from traindeck.api.strict import StrictRoute
from traindeck.launches.requests import RerunBody
from traindeck.launches.rerun import prepare_again, resolve_again, submit_again
from traindeck.runs.view import RunView

router = APIRouter(tags=["runs"], route_class=StrictRoute)

AS_IT_WAS = RerunBody()


@router.post(
    "/runs/{run_id}/rerun",
    status_code=status.HTTP_201_CREATED,
    operation_id="rerun",
    responses=responses(404, 409, 413, 415, 422, 507),
)
async def rerun(
    run_id: RunId,
    deck: DeckDep,
    response: Response,
    body: RerunBody = AS_IT_WAS,
    idempotency_key: IdempotencyKey = None,
) -> RunView:
    """Queue a new run that does the same as this one: same code, parameters, environment and interpreter."""
    pad = deck.launchpad
    again = await deck.lanes.launching.run(prepare_again, pad, run_id, body)
    spec = await asking(deck, partial(resolve_again, pad, again), trainer=again.asked.trainer)
    view = await deck.lanes.writing.run(submit_again, pad, spec, idempotency_key)
    response.headers["Location"] = f"/runs/{view.id}"
    return view
