"""Ends a process as Python would, in a twentieth of the time.

With torch loaded, Python's own way takes a second, as it tears every module down. What a script can notice of it is
kept, in the same order: its threads are joined, `atexit` runs, the streams are flushed, its modules go (so that what
they hold is finalised), cycles are collected, open files are written. Then the process ends, with the right code.
"""

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from traindeck.runner import prctl
from traindeck.runner.teardown import forget_modules, hold_other_threads, let_go_of_handlers, write_open_files
from traindeck.runner.unseen import unseen

NOT_FLUSHED = 120
"""Python's exit code where the last of the output could not be written."""


@unseen
def end_process(run: Callable[[], int]) -> NoReturn:
    """Call `run`, which gives the exit code (negative for a signal to end by), and end the process with it."""
    before = frozenset(sys.modules)
    try:
        code = run()
        _join_threads()
        atexit._run_exitfuncs()
        hold_other_threads()
        written = _flush_streams()
        let_go_of_handlers()
        _restore_streams()
        forget_modules(before)
        write_open_files()
        _flush_streams(report=False)
        code = code if written else NOT_FLUSHED
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = 1
        _flush_streams()
    prctl.flush_c_streams()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _join_threads() -> None:
    try:
        threading._shutdown()  # type: ignore[attr-defined]
    except BaseException as error:
        # Ctrl-C in the meantime: it is shown, and the process ends all the same.
        _write_error(f"Exception ignored in: {threading!r}\n")
        sys.__excepthook__(type(error), error, error.__traceback__)


def _flush_streams(*, report: bool = True) -> bool:
    """Write what the streams hold; False where stdout could not be written."""
    written = True
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        if stream is None or _is_closed(stream):
            continue
        try:
            stream.flush()
        except Exception as error:
            if name == "stdout":
                written = False
                if report:
                    _write_error(f"Exception ignored in: {stream!r}\n{type(error).__name__}: {error}\n")
    return written


def _is_closed(stream: Any) -> bool:
    try:
        return bool(getattr(stream, "closed", False))
    except Exception:
        # Of one whose buffer was detached nothing can be asked: Python tries to flush it, and so do we.
        return False


def _write_error(message: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(message)


def _restore_streams() -> None:
    """Let go of what the script has put in their place, such as something that copies the output to a file."""
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, name, getattr(sys, f"__{name}__"))
