"""Exit codes of the command line, and the exception that carries one."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `traindeck`, for scripts that call it."""

    OK = 0
    """The command succeeded; a followed run has completed."""
    FAILED = 1
    """The command failed, and its message says why. From `doctor`: a check failed."""
    USAGE = 2
    """The command line is wrong, or the deck refused a field."""
    UNREACHABLE = 3
    """No deck answers at the address, or the deck cannot reach its database."""
    NOT_FOUND = 4
    """There is no such run or trainer."""
    CONFLICT = 5
    """The run's status does not allow this."""
    RUN_FAILED = 10
    """The followed run has failed or is lost."""
    RUN_CANCELLED = 11
    """The followed run was cancelled."""
    INTERRUPTED = 130
    """Ctrl-C; a followed run keeps running."""


class CommandFailed(Exception):
    """A command failed. The message says why."""

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_of(status: str) -> Exit:
    """Return the exit code of a command that followed a run until this final status."""
    ends = {"completed": Exit.OK, "cancelled": Exit.RUN_CANCELLED}
    return ends.get(status, Exit.RUN_FAILED)
