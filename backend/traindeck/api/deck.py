"""The parts of a running deck, and the dependency by which handlers get them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, cast

import anyio
from fastapi import Depends, Request

from traindeck import __version__
from traindeck.api.lanes import Lanes
from traindeck.boards.client import Boards
from traindeck.db.engine import Database
from traindeck.executors.local.inspector import Inspector
from traindeck.launches.boardset import BoardSets
from traindeck.launches.submission import Launchpad
from traindeck.pages.shell import DeckState
from traindeck.provenance.attempt_recorder import AttemptRecorder
from traindeck.runs.changes import Changes
from traindeck.runs.files import DeckFiles
from traindeck.runs.queries import count_by_status
from traindeck.scheduling.dispatcher import Dispatcher
from traindeck.scheduling.observer import Observer
from traindeck.scheduling.slots import Slots
from traindeck.settings import Settings
from traindeck.sources.codestore import CodeStore
from traindeck.trainers.registry import Registry

if TYPE_CHECKING:
    from traindeck.api.events import Feed


@dataclass(frozen=True, slots=True)
class Deck:
    """The parts that `create_app` has put together."""

    settings: Settings
    files: DeckFiles
    database: Database
    changes: Changes
    slots: Slots
    dispatcher: Dispatcher
    observer: Observer
    registry: Registry
    boards: Boards
    code: CodeStore
    recorder: AttemptRecorder
    inspector: Inspector
    feed: "Feed"
    board_sets: BoardSets = field(default_factory=BoardSets)
    lanes: Lanes = field(default_factory=Lanes)
    closing: "Closing" = field(default_factory=lambda: Closing())
    searches: "Searches" = field(default_factory=lambda: Searches())

    @property
    def launchpad(self) -> Launchpad:
        """Return the parts that launches need."""
        capacity, wake = lambda: self.slots.capacity, self.dispatcher.wake
        kept = (self.files, self.database, self.registry, self.code, self.inspector)
        return Launchpad(*kept, capacity, wake, self.observer.read_on)

    def state(self) -> DeckState:
        """Return the state of the deck for the header of a page."""
        capacity = self.slots.capacity
        with self.database.read() as session:
            counts = {status.value: count for status, count in count_by_status(session).items() if count}
        return DeckState(
            cpus_used=capacity.cpus - capacity.free_cpus,
            cpus_total=capacity.cpus,
            gpus_used=capacity.gpus - capacity.free_gpus,
            gpus_total=capacity.gpus,
            counts=counts,
            version=__version__,
        )


@dataclass(slots=True)
class Closing:
    """True while the server shuts down; then streams that have no other end stop."""

    begun: bool = False


@dataclass(slots=True)
class Searches:
    """The searches of logs in progress. Their steps take turns in one thread, for which no other route waits."""

    under_way: int = 0
    turn: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))


def deck_of(request: Request) -> Deck:
    """Return the deck of a request.

    Raises:
        HomeGone: its home was moved: no file of a run would be found, and no write may be answered with 2xx.
    """
    deck = cast("Deck", request.app.state.deck)
    deck.database.check()
    return deck


DeckDep = Annotated[Deck, Depends(deck_of)]
