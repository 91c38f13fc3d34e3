"""Runs a script so that it cannot tell that it was not started by `python script.py`."""

import builtins
import os
import signal
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from traindeck.runner.order import Order, ScriptOrder


def run_script(order: Order) -> int:
    """Run the script of `order` as `__main__`; the exit code, negative for a signal to end by."""
    assert order.script is not None
    script = order.script
    sys.argv = [script.file, *script.args]
    sys.path[0:1] = [os.path.dirname(script.file)]  # noqa: PTH120 (as Python computes it)
    main = _main_module(script)
    code: CodeType | None = None
    try:
        code = compile(Path(script.source).read_bytes(), script.file, "exec", dont_inherit=True)
        exec(code, main.__dict__)  # noqa: S102
    except SystemExit as stop:
        return _exit_code(stop)
    except BaseException as error:
        error.__traceback__ = _own_frames(error.__traceback__, code)
        sys.excepthook(type(error), error, error.__traceback__)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _main_module(script: ScriptOrder) -> ModuleType:
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=script.file,
        __builtins__=builtins,
        __loader__=SourceFileLoader("__main__", script.file),
        __cached__=None,
        __annotations__={},
    )
    sys.modules["__main__"] = main
    return main


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    sys.stderr.write(f"{stop.code}\n")
    return 1


def _own_frames(traceback: TracebackType | None, code: CodeType | None) -> TracebackType | None:
    """The traceback from the script's first frame on; none where it did not get as far."""
    while traceback is not None and traceback.tb_frame.f_code is not code:
        traceback = traceback.tb_next
    return traceback
