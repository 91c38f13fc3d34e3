"""Exit codes of the command line."""

from enum import IntEnum


class Exit(IntEnum):
    """What a script that calls `traindeck` can tell by the exit code."""

    OK = 0
    """The command did its work; the run that was followed has completed."""
    FAILED = 1
    """The command could not do its work: the message says why. Of `doctor`: something is wrong."""
    USAGE = 2
    """The command was called wrongly, or the deck refused a field."""
    UNREACHABLE = 3
    """No deck answers at the address, or it cannot reach its database."""
    NOT_FOUND = 4
    """There is no such run, or no such trainer."""
    CONFLICT = 5
    """The run is in a status in which this cannot be done."""
    RUN_FAILED = 10
    """The run that was followed has failed, or is lost."""
    RUN_CANCELLED = 11
    """The run that was followed was cancelled."""
    INTERRUPTED = 130
    """Ctrl-C; a run that was followed goes on."""


class CommandFailed(Exception):
    """A command that could not do its work; the message says why."""

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_of(status: str) -> Exit:
    """The exit code of a command that followed a run until it had this final status."""
    ends = {"completed": Exit.OK, "cancelled": Exit.RUN_CANCELLED}
    return ends.get(status, Exit.RUN_FAILED)
