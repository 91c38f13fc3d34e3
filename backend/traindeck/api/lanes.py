"""Threads for slow work, separate from those that all other routes share.

A slow handler occupies its thread for seconds. With 40 such requests, pages would wait, too. Therefore each kind of
slow work has a few threads of its own, and a request that waits for one of them holds no thread.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
import anyio.to_thread

from traindeck.errors import DeckBusy
from traindeck.launches.submission import KnownOnly
from traindeck.options.inspection import Inspections
from traindeck.trainers.packaged import PackagedTrainer

if TYPE_CHECKING:
    from traindeck.api.deck import Deck

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., Any])

WAIT_SECONDS = 20.0
"""How long a request waits for its turn before it is refused with 503."""

UNCHECKED_WAIT_SECONDS = 2.0


class Lane:
    """A few threads for one kind of work.

    Args:
        threads: How many requests work at a time. All threads share the interpreter, so few are faster than many.
        busy: The message after a wait that took too long.
    """

    def __init__(self, threads: int, busy: str) -> None:
        self._turns = anyio.CapacityLimiter(threads)
        self._threads = anyio.CapacityLimiter(math.inf)
        self._busy = busy

    async def run(self, work: Callable[..., T], *args: Any, wait_seconds: float = WAIT_SECONDS) -> T:
        """Do the work in a thread when it is its turn.

        Raises:
            DeckBusy: its turn did not come in time.
        """
        turn = object()
        try:
            with anyio.fail_after(wait_seconds):
                await self._turns.acquire_on_behalf_of(turn)
        except TimeoutError as error:
            raise DeckBusy(self._busy) from error
        try:
            return await anyio.to_thread.run_sync(partial(work, *args), limiter=self._threads)
        finally:
            self._turns.release_on_behalf_of(turn)


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of one deck."""

    launching: Lane = field(
        default_factory=lambda: Lane(8, "Too many runs are launched at the moment; try again shortly.")
    )
    """Reads scripts and projects, and keeps their code."""
    writing: Lane = field(
        default_factory=lambda: Lane(2, "Too many changes are written at the moment; try again shortly.")
    )
    """Writes to the database, one at a time: many waiting writers would occupy all threads of the pages."""
    inspecting: Lane = field(
        default_factory=lambda: Lane(
            4, "Too many scripts are asked for their options at the moment; try again shortly."
        )
    )
    """Waits for processes that import a script or a trainer."""
    importing: Lane = field(
        default_factory=lambda: Lane(2, "Too many folders are imported at the moment; try again shortly.")
    )
    uploading: Lane = field(
        default_factory=lambda: Lane(4, "Too many files are received at the moment; try again shortly.")
    )
    files: Lane = field(default_factory=lambda: Lane(4, "Too many files are read at the moment; try again shortly."))
    """Packs, deletes and lists files of runs."""
    charts: Lane = field(default_factory=lambda: Lane(4, "Too many charts are read at the moment; try again shortly."))
    """Reads event files that no server has read yet."""


def in_lane(name: str) -> Callable[[Handler], Handler]:
    """Run a blocking handler in the named lane. The handler takes the deck as `deck`."""

    def decorate(handler: Handler) -> Handler:
        async def run(**values: Any) -> Any:
            lane: Lane = getattr(values["deck"].lanes, name)
            return await lane.run(partial(handler, **values))

        # Without functools.wraps, which FastAPI unwraps: it would treat this as a blocking handler.
        run.__name__, run.__qualname__, run.__doc__ = handler.__name__, handler.__qualname__, handler.__doc__
        run.__module__ = handler.__module__
        run.__signature__ = inspect.signature(handler)  # type: ignore[attr-defined]
        return cast("Handler", run)

    return decorate


async def asking(
    deck: "Deck", work: Callable[[Inspections], T], *, trainer: str | None = None, unchecked: bool = False
) -> T:
    """Do work that may have to inspect a script. Work with known scripts does not wait for unknown ones.

    Args:
        work: Gets the inspector. It is repeated if a script turns out to be unknown.
        trainer: The trainer of the run; one of an installed package has to be imported.
        unchecked: The work can do without the inspection, and does not wait for it while many others are inspected.

    Raises:
        DeckBusy: too many scripts are being inspected.
    """
    launching, inspecting = deck.lanes.launching, deck.lanes.inspecting
    if trainer is not None:
        packaged = isinstance(deck.registry.trainers.get(trainer), PackagedTrainer)
        return await (inspecting if packaged else launching).run(work, deck.inspector)
    try:
        return await launching.run(work, KnownOnly(deck.inspector, _UnknownError()))
    except _UnknownError:
        pass  # Its options are not known yet: the script is asked for them, below.
    if not unchecked:
        return await inspecting.run(work, deck.inspector)
    try:
        return await inspecting.run(work, deck.inspector, wait_seconds=UNCHECKED_WAIT_SECONDS)
    except DeckBusy as busy:
        return await launching.run(work, KnownOnly(deck.inspector, busy))


class _UnknownError(Exception):
    """A script would have to be inspected."""
