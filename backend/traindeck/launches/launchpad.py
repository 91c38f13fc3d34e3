"""The parts of a deck that a launch needs."""

from collections.abc import Callable
from dataclasses import dataclass

from traindeck.db.engine import Database
from traindeck.options.inspection import Inspections
from traindeck.runs.files import DeckFiles
from traindeck.runs.queue import Capacity
from traindeck.sources.codestore import CodeStore
from traindeck.trainers.registry import Registry


@dataclass(frozen=True, slots=True)
class Launchpad:
    """What runs are launched with.

    Attributes:
        capacity: What the machine has for runs.
        wake: Has the queue looked at.
        read_on: Has the rest of an attempt's event files read, by run and number.
    """

    files: DeckFiles
    database: Database
    registry: Registry
    code: CodeStore
    inspector: Inspections
    capacity: Callable[[], Capacity]
    wake: Callable[[], None]
    read_on: Callable[[int, int], None]
