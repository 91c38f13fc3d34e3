"""What the end of an attempt means for its run."""

import signal
from dataclasses import dataclass

from traindeck.executors.protocol import Ended, Ending, Lost
from traindeck.runs.status import Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """A final status, and why."""

    status: Status
    reason: str | None


def outcome_of(report: Ended | Lost, *, stopping: bool) -> Outcome:
    """Return the outcome of an attempt that is over. `stopping`: the user has asked for it to be stopped."""
    if isinstance(report, Ended):
        return _outcome_of_ending(report.ending, stopping=stopping)
    if stopping and not report.with_node:
        return Outcome(Status.CANCELLED, "stopped by the user; its process was killed")
    return Outcome(Status.LOST, report.reason)


def _outcome_of_ending(ending: Ending, *, stopping: bool) -> Outcome:
    if stopping or ending.stop_asked:
        by = "stopped by the user" if stopping else "stopped by a signal from outside"
        return Outcome(Status.CANCELLED, f"{by}, killed after its grace" if ending.killed else by)
    if ending.signal is not None:
        return Outcome(Status.FAILED, _killed(ending))
    if ending.exit_code:
        detail = f": {ending.last_line}" if ending.last_line else ""
        memory = "out of memory: the kernel killed a process meanwhile; " if ending.out_of_memory else ""
        return Outcome(Status.FAILED, f"{memory}exit code {ending.exit_code}{detail}")
    return Outcome(Status.COMPLETED, None)


def _killed(ending: Ending) -> str:
    assert ending.signal is not None
    if ending.out_of_memory:
        return f"out of memory: killed by signal {ending.signal} ({signal.Signals(ending.signal).name})"
    try:
        name = f" ({signal.Signals(ending.signal).name})"
    except ValueError:
        name = ""
    return f"killed by signal {ending.signal}{name}"
