"""What Python makes of an exception that a program does not catch: a message and an exit code."""

from __future__ import annotations

import signal
import sys
from types import CodeType, TracebackType

from traindeck.runner.unseen import is_unseen

LONG_MAX = 2**63


def exit_code_of(error: BaseException, code: CodeType | None) -> int:
    """Write `error` to stderr as Python does at the end of a program; return the exit code, negative for a signal.

    Args:
        error: What has ended the program.
        code: Of the first frame that is to be shown: what lies above it is not the program's.
    """
    if isinstance(error, SystemExit):
        return _code_of_exit(error)
    error.__traceback__ = without_detour(frames_from(error.__traceback__, code))
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    ended = _call_hook(error)
    if ended is not None:
        return ended
    return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def frames_from(traceback: TracebackType | None, code: CodeType | None) -> TracebackType | None:
    """Return the traceback from the first frame of `code` on; none where it did not get as far."""
    while traceback is not None and traceback.tb_frame.f_code is not code:
        traceback = traceback.tb_next
    return traceback


def without_detour(traceback: TracebackType | None) -> TracebackType | None:
    """Return the traceback without our frames between those of a script and of a library, whose function ours calls."""
    frame = traceback
    while frame is not None and frame.tb_next is not None:
        if is_unseen(frame.tb_next.tb_frame.f_code):
            frame.tb_next = frame.tb_next.tb_next
        frame = frame.tb_next
    return traceback


def _call_hook(error: BaseException) -> int | None:
    """Have `sys.excepthook` show the error; return an exit code where the hook asks for one."""
    if not hasattr(sys, "excepthook"):
        sys.stderr.write("sys.excepthook is missing\n")
        sys.__excepthook__(type(error), error, error.__traceback__)
        return None
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit as stop:
        return _code_of_exit(stop)
    except BaseException as second:
        second.__traceback__ = second.__traceback__.tb_next if second.__traceback__ else None
        second.__context__ = None
        sys.stderr.write("Error in sys.excepthook:\n")
        sys.__excepthook__(type(second), second, second.__traceback__)
        sys.stderr.write("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, error.__traceback__)
    return None


def _code_of_exit(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF if -LONG_MAX <= stop.code < LONG_MAX else 0xFF
    if sys.stderr is not None:
        sys.stderr.write(f"{stop.code}\n")
    return 1
