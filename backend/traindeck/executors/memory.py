"""An executor without processes, for tests: what happens to attempts, and what fails, is what the test says.

It outlives the scheduler that uses it, as processes outlive the server: a second scheduler with the same executor is
the next server's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from traindeck.executors.protocol import (
    Dropped,
    Ended,
    Ending,
    Handle,
    Lost,
    Node,
    NotStarted,
    Order,
    Report,
    Started,
    Starting,
    Unknown,
)

KILLED = "its process was killed from outside, and how far it came is not known"
EPOCH = 1_800_000_000.0
"""What its clock says at first, in seconds since the epoch."""


class ProcessState(Enum):
    """Where an attempt is."""

    RESERVED = auto()
    ORDERED = auto()
    ALIVE = auto()
    GONE = auto()
    GIVEN_UP = auto()


@dataclass(slots=True)
class Process:
    """What would be the process of an attempt, and its exit record."""

    handle: Handle
    state: ProcessState = ProcessState.RESERVED
    order: Order | None = None
    starts: int = 0
    started_at: float | None = None
    ending: Ending | None = None
    lost: Lost | None = None
    stop_asked: bool = False
    stop_deadline: float = 0.0
    reported: bool = False


class MemoryExecutor:
    """Attempts as the test moves them along.

    Attributes:
        now: Its clock, in seconds; `pass_time` moves it.
        automatic: An order becomes a process at once; else `begin` makes it one.
        obedient: A process that is asked to stop ends at once; else it is killed after its grace.
        unreachable: While it is set, every answer is that nothing is known, for this reason.
        refusal: Why it takes no order, if it takes none.
        progress: What it says of an order that is no process yet.
        failures: The errors that the next calls of a method raise, by its name, or by its name and a run ("stop 2").
        stopped: The runs that it was asked to stop, in order.
        forgotten: The attempts that it was asked to forget.
    """

    name = "memory"

    def __init__(self, nodes: Sequence[Node] = (Node("memory", 3),)) -> None:
        self.nodes = nodes
        self.now = 0.0
        self.automatic = True
        self.obedient = True
        self.unreachable: str | None = None
        self.refusal: str | None = None
        self.progress: str | None = None
        self.failures: dict[str, list[Exception]] = {}
        self.processes: dict[tuple[int, int], Process] = {}
        self.stopped: list[int] = []
        self.forgotten: list[tuple[int, int]] = []
        self.is_open = False

    @property
    def warm(self) -> bool:
        """True, as a start takes no time."""
        return True

    @property
    def warming(self) -> bool:
        """False: there is nothing to prepare."""
        return False

    def clock(self) -> float:
        """Return the time, for a scheduler to use the same clock."""
        return self.now

    def pass_time(self, seconds: float) -> None:
        """Let time pass; processes that were asked to stop and have had their grace are killed."""
        self.now += seconds
        for one in self.processes.values():
            if one.state is ProcessState.ALIVE and one.stop_asked and self.now >= one.stop_deadline:
                self._end(one, Ending(None, 9, self._wall(), 1.0, stop_asked=True, killed=True))

    def begin(self, run_id: int) -> None:
        """Make the order of a run's last attempt a process; where it was given up, nothing starts."""
        one = self.last(run_id)
        if one.state is ProcessState.ORDERED:
            one.state, one.started_at = ProcessState.ALIVE, self._wall()
            one.starts += 1
            if one.stop_asked and self.obedient:
                self._end(one, Ending(None, 15, self._wall(), 1.0, stop_asked=True))

    def end(self, run_id: int, exit_code: int | None = 0, signal: int | None = None) -> None:
        """End a run's process; its exit record says so."""
        self._end(self.last(run_id), Ending(exit_code, signal, self._wall(), 1.0))

    def kill(self, run_id: int) -> None:
        """End a run's process together with what would have written its exit record."""
        one = self.last(run_id)
        one.state, one.lost = ProcessState.GONE, Lost(KILLED, one.started_at)

    def restart_nodes(self) -> None:
        """Have everything that is alive or ordered end, as when every node is restarted; exit records stay."""
        for one in self.processes.values():
            if one.state in (ProcessState.RESERVED, ProcessState.ORDERED, ProcessState.ALIVE):
                one.state, one.lost = ProcessState.GONE, Lost("host restarted", with_node=True)

    def drop_orders(self) -> None:
        """Have what was to start the orders be gone."""
        for one in self.processes.values():
            if one.state is ProcessState.ORDERED:
                one.state = ProcessState.RESERVED

    def give_up_orders(self) -> None:
        """Have the orders never become processes."""
        for one in self.processes.values():
            if one.state is ProcessState.ORDERED:
                one.state = ProcessState.GIVEN_UP

    def has_process(self, run_id: int) -> bool:
        """Return True where a run's last attempt is alive."""
        return any(key[0] == run_id for key in self.processes) and self.last(run_id).state is ProcessState.ALIVE

    def last(self, run_id: int) -> Process:
        """Return the last attempt of a run."""
        return self.processes[max(key for key in self.processes if key[0] == run_id)]

    def open(self) -> None:
        """Keep that it is open."""
        self.is_open = True

    def close(self) -> None:
        """Keep that it is closed; processes run on."""
        self.is_open = False

    def capacity(self) -> Sequence[Node]:
        """Return the nodes that it was given."""
        return self.nodes

    def reserve(self, run_id: int, attempt: int) -> Handle:
        """Return a handle that names the attempt."""
        self._fail_if_due("reserve", run_id)
        return Handle(run_id, attempt, self.name, {"key": f"{run_id}-{attempt}"})

    def start(self, order: Order) -> Handle | NotStarted:
        """Take the order; a second one of the same attempt starts nothing."""
        self._fail_if_due("start", order.run_id)
        if self.refusal is not None:
            return NotStarted(self.refusal)
        handle = self.reserve(order.run_id, order.attempt)
        one = self.processes.setdefault((order.run_id, order.attempt), Process(handle))
        one.order = order
        if one.state is ProcessState.RESERVED:
            one.state = ProcessState.ORDERED
            if self.automatic:
                self.begin(order.run_id)
        return handle

    def poll(self, handles: Iterable[Handle]) -> Iterator[tuple[Handle, Report]]:
        """Yield what is known of attempts."""
        for handle in handles:
            report = self._look(self._of(handle))
            if report is not None:
                yield handle, report

    def examine(self, handle: Handle) -> Report:
        """Find out what became of an attempt."""
        self._fail_if_due("examine", handle.run_id)
        if self.unreachable is not None:
            return Unknown(self.unreachable)
        one = self._of(handle)
        if one.state in (ProcessState.RESERVED, ProcessState.ORDERED, ProcessState.GIVEN_UP):
            one.state = ProcessState.GIVEN_UP
            return NotStarted("its start was cut off")
        if one.state is ProcessState.ALIVE:
            return Started(one.started_at)
        if one.ending is not None:
            return Ended(one.ending, one.started_at)
        return one.lost or Unknown("it is gone")

    def stop(self, handle: Handle, grace_seconds: float) -> None:
        """End a process that is obedient; another is killed after its grace."""
        self._fail_if_due("stop", handle.run_id)
        self.stopped.append(handle.run_id)
        one = self._of(handle)
        one.stop_asked, one.stop_deadline = True, self.now + grace_seconds
        if self.obedient and one.state is ProcessState.ALIVE:
            self._end(one, Ending(None, 15, self._wall(), 1.0, stop_asked=True))

    def forget(self, handle: Handle) -> None:
        """Keep that the attempt is over."""
        self.forgotten.append((handle.run_id, handle.attempt))

    def descriptors(self, handles: Iterable[Handle]) -> Sequence[int]:  # noqa: ARG002
        """Return none: it is polled."""
        return ()

    def _of(self, handle: Handle) -> Process:
        return self.processes.setdefault((handle.run_id, handle.attempt), Process(handle))

    def _look(self, one: Process) -> Report | None:
        if self.unreachable is not None:
            return Unknown(self.unreachable)
        if one.state is ProcessState.RESERVED:
            return Dropped()
        if one.state is ProcessState.ORDERED:
            return Starting(self.progress) if self.progress else None
        if one.state is ProcessState.ALIVE or (one.started_at is not None and not one.reported):
            one.reported = True
            return Started(one.started_at)
        return Unknown("it is gone")

    def _end(self, one: Process, ending: Ending) -> None:
        one.state, one.ending = ProcessState.GONE, ending

    def _fail_if_due(self, method: str, run_id: int) -> None:
        errors = self.failures.get(f"{method} {run_id}") or self.failures.get(method)
        if errors:
            raise errors.pop(0)

    def _wall(self) -> float:
        return EPOCH + self.now
