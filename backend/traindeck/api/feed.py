"""What the event streams tell: each change is read and written down once, however many listen."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from fastapi.concurrency import run_in_threadpool
from sse_starlette import ServerSentEvent

from traindeck.runs.queries import show_runs

if TYPE_CHECKING:
    from traindeck.api.deck import Deck

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
"""Between two batches: however fast runs change, a stream carries each at most ten times a second."""
BATCH = 100
"""Runs that are read at a time: what a slow stream holds in memory is at most so many."""


class Subscriber:
    """One stream: what it has not sent yet."""

    def __init__(self, run_id: int | None) -> None:
        self.run_id = run_id
        self.ended = False
        self._awake = asyncio.Event()
        self._events: dict[int, bytes | None] = {}

    def put(self, events: dict[int, bytes]) -> None:
        """Take over the events that are for this stream; each run's last one counts."""
        mine = events if self.run_id is None else {one: events[one] for one in (self.run_id,) if one in events}
        for run_id, event in mine.items():
            # A stream that is far behind keeps the numbers alone, and reads again what it missed.
            self._events[run_id] = event if len(self._events) < BATCH or self._events.get(run_id) else None
        if mine:
            self._awake.set()

    def end(self) -> None:
        """Have the stream end once it is idle; its client opens another."""
        self.ended = True
        self._awake.set()

    async def take(self, deck: "Deck") -> list[bytes]:
        """Wait for events, and take them, at most `BATCH` runs in each piece; nothing where the stream is to end."""
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
    """The streams of one deck, and the one task that tells them; used from the event loop alone."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._listening: _Listening | None = None
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def subscribe(self, deck: "Deck", run_id: int | None) -> Iterator[Subscriber]:
        """Hear, from here on, of each change of one run, or of all."""
        subscriber = Subscriber(run_id)
        self._subscribers.add(subscriber)
        if self._task is None:
            self._listening = _Listening(deck)
            self._task = asyncio.create_task(self._tell(deck, self._listening))
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)
            if not self._subscribers:
                self._stop()

    def _stop(self) -> None:
        """Listen no more; the next subscriber begins anew."""
        if self._listening is not None:
            self._listening.close()
        if self._task is not None:
            self._task.cancel()
        self._listening = self._task = None

    async def _tell(self, deck: "Deck", listening: "_Listening") -> None:
        try:
            while not deck.closing.begun:
                await self._pass_on(deck, await listening.wait())
                await asyncio.sleep(PAUSE_SECONDS)
        except Exception:
            logger.exception("the changes of runs could not be read: all event streams begin anew")
        for subscriber in self._subscribers:
            subscriber.end()
        self._stop()

    async def _pass_on(self, deck: "Deck", marked: list[int]) -> None:
        for start in range(0, len(marked), BATCH):
            wanted = {subscriber.run_id for subscriber in self._subscribers}
            batch = [one for one in marked[start : start + BATCH] if None in wanted or one in wanted]
            if batch:
                events = await run_in_threadpool(_describe, deck, batch)
                for subscriber in tuple(self._subscribers):
                    subscriber.put(events)


class _Listening:
    """The changes of a deck's runs, for the event loop."""

    def __init__(self, deck: "Deck") -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        # Listens at once, and not only when the task first runs: the subscriber reads the state meanwhile.
        self._open = ExitStack()
        self._listener = self._open.enter_context(deck.changes.listen(self._wake))

    def close(self) -> None:
        """Listen no more."""
        self._open.close()

    async def wait(self) -> list[int]:
        """Wait for a change, or for the end of the deck; the runs that changed."""
        await self._changed.wait()
        self._changed.clear()
        return self._listener.take()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:
            return  # The loop has ended; so has every stream.


def _describe(deck: "Deck", run_ids: list[int]) -> dict[int, bytes]:
    """Return the event of each run as it is now, as a stream carries it."""
    with deck.database.read() as session:
        views = show_runs(session, run_ids, deck.slots.capacity)
    events = {}
    for run_id in run_ids:
        if run_id in views:
            events[run_id] = ServerSentEvent(event="run", data=views[run_id].model_dump_json()).encode()
        elif run_id:
            events[run_id] = ServerSentEvent(event="deleted", data=f'{{"id": {run_id}}}').encode()
    return events
