"""`/events`: one server-sent event stream for everything that changes.

Each change is read and serialized once, however many streams there are.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.db.tables import LARGEST_INTEGER
from traindeck.runs.queries import show_runs

logger = logging.getLogger(__name__)

router = APIRouter(tags=["events"], route_class=StrictRoute)

PAUSE_SECONDS = 0.1
"""The pause between two batches: a stream sends each run at most ten times a second, however fast it changes."""
BATCH = 100
"""The most runs that are read at a time, and that a slow stream holds in memory."""
PING_SECONDS = 15
CLOSING_SECONDS = 3
SEND_TIMEOUT_SECONDS = 30
RETRY_MILLISECONDS = 1000
STREAM = {"text/event-stream": {"schema": {"type": "string"}}}


class Subscriber:
    """One stream, with the events that it has not sent yet."""

    def __init__(self, run_id: int | None) -> None:
        self.run_id = run_id
        self.ended = False
        self._awake = asyncio.Event()
        self._events: dict[int, bytes | None] = {}

    def put(self, events: dict[int, bytes]) -> None:
        """Add the events for this stream; a newer event of a run replaces an older one."""
        mine = events if self.run_id is None else {one: events[one] for one in (self.run_id,) if one in events}
        for run_id, event in mine.items():
            # A stream that is far behind keeps only the numbers, and reads these runs again.
            self._events[run_id] = event if len(self._events) < BATCH or self._events.get(run_id) else None
        if mine:
            self._awake.set()

    def end(self) -> None:
        """End the stream when it is idle; its client opens another."""
        self.ended = True
        self._awake.set()

    async def take(self, deck: Deck) -> list[bytes]:
        """Wait for events, and return them in pieces of at most `BATCH` runs; empty if the stream ends."""
        await self._awake.wait()
        self._awake.clear()
        taken, self._events = self._events, {}
        missed = [run_id for run_id, event in taken.items() if event is None]
        pieces = [b"".join(event for event in taken.values() if event is not None)]
        for start in range(0, len(missed), BATCH):
            events = await run_in_threadpool(_describe, deck, missed[start : start + BATCH])
            pieces.append(b"".join(events.values()))
        return [piece for piece in pieces if piece]


class Feed:
    """The streams of one deck, and the task that sends them changes. Use it only in the event loop."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._listening: _Listening | None = None
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def subscribe(self, deck: Deck, run_id: int | None) -> Iterator[Subscriber]:
        """Yield a stream of all further changes of one run, or of all."""
        subscriber = Subscriber(run_id)
        self._subscribers.add(subscriber)
        if self._task is None:
            self._listening = _Listening(deck)
            self._task = asyncio.create_task(self._send_changes(deck, self._listening))
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            if not self._subscribers:
                self._stop()

    def _stop(self) -> None:
        """Stop listening; the next subscriber starts again."""
        if self._listening is not None:
            self._listening.close()
        if self._task is not None:
            self._task.cancel()
        self._listening = self._task = None

    async def _send_changes(self, deck: Deck, listening: "_Listening") -> None:
        try:
            while not deck.closing.begun:
                await self._distribute(deck, await listening.wait())
                await asyncio.sleep(PAUSE_SECONDS)
        except Exception:
            logger.exception("the changes of runs could not be read: all event streams are restarted")
        for subscriber in self._subscribers:
            subscriber.end()
        self._stop()

    async def _distribute(self, deck: Deck, marked: list[int]) -> None:
        for start in range(0, len(marked), BATCH):
            wanted = {subscriber.run_id for subscriber in self._subscribers}
            batch = [one for one in marked[start : start + BATCH] if None in wanted or one in wanted]
            if batch:
                events = await run_in_threadpool(_describe, deck, batch)
                for subscriber in tuple(self._subscribers):
                    subscriber.put(events)


class _Listening:
    """The changes of runs, for the event loop."""

    def __init__(self, deck: Deck) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        # Listen at once, and not only when the task first runs: the subscriber reads the state in between.
        self._open = ExitStack()
        self._listener = self._open.enter_context(deck.changes.listen(self._wake))

    def close(self) -> None:
        """Stop listening."""
        self._open.close()

    async def wait(self) -> list[int]:
        """Wait for a change or the end of the deck, and return the changed runs."""
        await self._changed.wait()
        self._changed.clear()
        return self._listener.take()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:
            return  # The loop has ended; so has every stream.


def _describe(deck: Deck, run_ids: list[int]) -> dict[int, bytes]:
    """Return an event with the present state of each run, serialized."""
    with deck.database.read() as session:
        views = show_runs(session, run_ids, deck.slots.capacity)
    events = {}
    for run_id in run_ids:
        if run_id in views:
            events[run_id] = ServerSentEvent(event="run", data=views[run_id].model_dump_json()).encode()
        elif run_id:
            events[run_id] = ServerSentEvent(event="deleted", data=f'{{"id": {run_id}}}').encode()
    return events


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
    """Stream every change of a run: its status, progress, scalars, and the size of its log."""
    return EventSourceResponse(
        _events(deck, run),
        ping=PING_SECONDS,
        send_timeout=SEND_TIMEOUT_SECONDS,
        # The stream ends by itself when the deck closes. If it were cut off, an error would be logged.
        shutdown_grace_period=CLOSING_SECONDS,
    )


async def _events(deck: Deck, run_id: int | None) -> AsyncIterator[ServerSentEvent | bytes]:
    with deck.feed.subscribe(deck, run_id) as subscriber:
        # The client reads the state after this event; it gets every change from here on.
        yield ServerSentEvent(event="open", data="{}", retry=RETRY_MILLISECONDS)
        while not (deck.closing.begun or subscriber.ended):
            for piece in await subscriber.take(deck):
                yield piece
