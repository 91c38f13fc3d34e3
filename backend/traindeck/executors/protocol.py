"""What the scheduler knows of executors: it gives them orders, and is given reports.

An executor turns the order of an attempt into processes on one of its nodes. These hold of each:

- An attempt has at most one process, whatever dies in between.
- The truth about an end is the exit record that the attempt's shim wrote (`Ending`).
- A handle is JSON. It is stored with the attempt, and finds the attempt again after a restart of the server.
- What cannot be found out is `Unknown`. `Lost` is reported once the evidence is in, and nothing is alive any more.
- A stop is done when nothing of the attempt is alive: the end is reported then, and not before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from traindeck.runner.ending import Ending
from traindeck.runner.order import Order, ScriptOrder
from traindeck.runner.program import Program

__all__ = [
    "Dropped",
    "Ended",
    "Ending",
    "Executor",
    "Gpu",
    "Handle",
    "Lost",
    "Node",
    "NotStarted",
    "Order",
    "Program",
    "Report",
    "ScriptOrder",
    "Started",
    "Starting",
    "Unknown",
]


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU of a node. `index` is its place there, `memory_bytes` all of its memory; 0 where it is not known."""

    index: int
    name: str = ""
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A machine on which attempts run, and what it offers to them."""

    name: str
    cpus: int
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True, slots=True)
class Handle:
    """An attempt as its executor knows it. `content` is stored with the attempt, and must be JSON."""

    run_id: int
    attempt: int
    executor: str
    content: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Started:
    """The attempt has a process.

    Attributes:
        at: When it started, in seconds since the epoch; None where that is not known.
        trouble: What the executor cannot know of it, though it runs.
    """

    at: float | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Starting:
    """The attempt has no process yet, and `text` says how far it is: shown as the reason of its run's status."""

    text: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """The attempt has no process, and what was to start it is gone: it has to be started again."""


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The attempt has no process, and cannot get one any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt has ended, as its exit record says. `started_at` is in seconds since the epoch."""

    ending: Ending
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The attempt is gone without an exit record, and nothing of it is alive.

    `with_node` is True where its node went down: a stop that was asked for is not what ended it then.
    """

    reason: str
    started_at: float | None = None
    with_node: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """What became of the attempt cannot be said at the moment."""

    reason: str


Report = Started | Starting | Dropped | NotStarted | Ended | Lost | Unknown


class Executor(Protocol):
    """Starts attempts somewhere, watches them, and stops them.

    `start` and `examine` may take long, and are called in threads of their own, one at a time for each attempt. The
    other methods return at once. What they raise concerns the attempt that they were called for, and no other.
    """

    name: str
    """As it is stored with the attempts that it has."""

    @property
    def warm(self) -> bool:
        """True once a start takes milliseconds."""
        ...

    @property
    def warming(self) -> bool:
        """True while it prepares to become warm."""
        ...

    def open(self) -> None:
        """Prepare for starts; none of them has to wait for it."""

    def close(self) -> None:
        """Let go of everything but the attempts, which run on."""

    def capacity(self) -> Sequence[Node]:
        """Return the nodes and what they offer."""
        ...

    def reserve(self, run_id: int, attempt: int) -> Handle:
        """Return the handle of an attempt that is claimed: it is stored before anything is started."""
        ...

    def start(self, order: Order) -> Handle | NotStarted:
        """Have the attempt of an order started; starting it again starts no second process.

        Returns:
            The handle to store, where it is not the one that was reserved, or why the attempt cannot be started.
        """
        ...

    def poll(self, handles: Iterable[Handle]) -> Iterator[tuple[Handle, Report]]:
        """Yield what is known of attempts that were started or examined; nothing of one that has no news.

        A running attempt is reported as `Started` each time, and at least once if it has ended since. What else has
        come of it is said by `examine`: here its end may be `Unknown`.
        """
        ...

    def examine(self, handle: Handle) -> Report:
        """Find out what became of an attempt, after a restart of the server too.

        One whose start was cut off gets no process any more. What a killed one has left is ended.
        """
        ...

    def stop(self, handle: Handle, grace_seconds: float) -> None:
        """Ask an attempt to end, and have it killed after the grace; once it has ended, this does nothing."""

    def forget(self, handle: Handle) -> None:
        """Let go of what is kept for an attempt that is over."""

    def descriptors(self, handles: Iterable[Handle]) -> Sequence[int]:
        """Return the file descriptors that turn readable when `poll` has news of these."""
        ...
