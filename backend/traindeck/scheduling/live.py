"""Attempts that have a process, or are about to."""

from dataclasses import dataclass
from enum import Enum, auto

from traindeck.db.tables import Run
from traindeck.executors.protocol import Handle, Order, Report, Started
from traindeck.scheduling.slots import Hold


class Stage(Enum):
    """Where an attempt is on its way to the executor."""

    LEFT = auto()
    """An earlier server left it; what became of it has not been examined yet."""
    CLAIMED = auto()
    """The executor has to be asked to start it."""
    HANDED = auto()
    """The executor has it."""


@dataclass(slots=True, eq=False)
class LiveAttempt:
    """One attempt between its claim and its end. Times are of the scheduler's clock, in seconds.

    Attributes:
        busy: A step of it is at work in a thread of its own, which alone changes what follows below `stop_at`.
        stop_at: It is not asked to stop before.
        retry_at: No step of it begins before.
        failures: How many steps have failed since the last one that did not.
        report: What the executor said of it last, until a step has taken it up.
        claimed: The run as it was claimed, for its order.
        started: That it has a process, once the executor has said so.
        trouble: What its run says that the deck cannot do or know.
        unknown: The executor could not say what became of it.
        retry_seconds: The back-off of the retry that its end has queued.
    """

    handle: Handle
    hold: Hold
    busy: bool = False
    stop_at: float = 0.0
    failures: int = 0
    retry_at: float = 0.0
    stage: Stage = Stage.CLAIMED
    report: Report | None = None
    claimed: Run | None = None
    order: Order | None = None
    started: Started | None = None
    trouble: str | None = None
    unknown: bool = False
    watched: bool = False
    announced: bool = False
    start_recorded: bool = False
    retry_seconds: float | None = None

    @property
    def run_id(self) -> int:
        """The number of its run."""
        return self.handle.run_id

    @property
    def number(self) -> int:
        """Which attempt of the run it is."""
        return self.handle.attempt
