"""Exit codes of the command line."""

from enum import IntEnum


class Exit(IntEnum):
    """What a script that calls `traindeck` can tell by the exit code."""

    OK = 0
    FAILED = 1
    """The command could not do its work: the message says why."""
    USAGE = 2
    """The command was called wrongly, or the deck refused a field."""
    UNREACHABLE = 3
    """No deck answers at the address."""
    NOT_FOUND = 4
    """There is no such run."""
    CONFLICT = 5
    """The run is in a status in which this cannot be done."""
    RUN_FAILED = 10
    """The run that was followed has failed, or is lost."""
    RUN_CANCELLED = 11
    """The run that was followed was cancelled."""
    INTERRUPTED = 130
    """Ctrl-C; a run that was followed goes on."""
