"""`/events`: one server-sent event stream for everything that changes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.db.tables import LARGEST_INTEGER
from traindeck.runs.queries import show_runs

router = APIRouter(tags=["events"], route_class=StrictRoute)

PAUSE_SECONDS = 0.1
"""Between two batches: however fast runs change, a stream carries each at most ten times a second."""
PING_SECONDS = 15
CLOSING_SECONDS = 3
SEND_TIMEOUT_SECONDS = 30
BATCH = 100
"""Runs that are read at a time: what a slow stream holds in memory is at most so many."""
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


async def _events(deck: Deck, run_id: int | None) -> AsyncIterator[ServerSentEvent]:
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(changed.set)
        except RuntimeError:
            return  # The loop has ended; so has the stream.

    with deck.changes.listen(wake, run_id) as listener:
        # The client reads the state after it hears this: what changes from here on, it is told.
        yield ServerSentEvent(event="open", data="{}", retry=RETRY_MILLISECONDS)
        while not deck.closing.begun:
            await changed.wait()
            changed.clear()
            marked = listener.take()
            for start in range(0, len(marked), BATCH):
                for event in await run_in_threadpool(_describe, deck, marked[start : start + BATCH]):
                    yield event
            await asyncio.sleep(PAUSE_SECONDS)


def _describe(deck: Deck, run_ids: list[int]) -> list[ServerSentEvent]:
    with deck.database.read() as session:
        views = show_runs(session, run_ids, deck.slots.capacity)
    events = []
    for run_id in run_ids:
        if run_id in views:
            events.append(ServerSentEvent(event="run", data=views[run_id].model_dump_json()))
        elif run_id:
            events.append(ServerSentEvent(event="deleted", data=f'{{"id": {run_id}}}'))
    return events
