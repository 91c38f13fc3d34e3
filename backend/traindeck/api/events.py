"""`/events`: one server-sent event stream for everything that changes."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from sse_starlette import EventSourceResponse, ServerSentEvent

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.db.tables import LARGEST_INTEGER

router = APIRouter(tags=["events"], route_class=StrictRoute)

PING_SECONDS = 15
CLOSING_SECONDS = 3
SEND_TIMEOUT_SECONDS = 30
RETRY_MILLISECONDS = 1000
STREAM = {"text/event-stream": {"schema": {"type": "string"}}}


@router.get(
    "/events",
    operation_id="streamEvents",
    response_class=EventSourceResponse,
    responses={200: {"content": STREAM, "description": "`event: run` with a run; `event: deleted` with its number"},
               **responses(422)},
)  # fmt: skip
async def stream_events(
    deck: DeckDep,
    run: Annotated[int | None, Query(ge=1, le=LARGEST_INTEGER, description="Only the changes of this run")] = None,
) -> EventSourceResponse:
    """Hear of every change of a run: its status, progress, scalars, size of the log."""
    return EventSourceResponse(
        _events(deck, run),
        ping=PING_SECONDS,
        send_timeout=SEND_TIMEOUT_SECONDS,
        # The stream ends by itself when the deck closes; cut off instead, it would be logged as an error.
        shutdown_grace_period=CLOSING_SECONDS,
    )


async def _events(deck: Deck, run_id: int | None) -> AsyncIterator[ServerSentEvent | bytes]:
    with deck.feed.subscribe(deck, run_id) as subscriber:
        # The client reads the state after it hears this: what changes from here on, it is told.
        yield ServerSentEvent(event="open", data="{}", retry=RETRY_MILLISECONDS)
        while not (deck.closing.begun or subscriber.ended):
            for piece in await subscriber.take(deck):
                yield piece
