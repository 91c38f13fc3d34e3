"""Runs a script so that it cannot tell that it was not started by `python script.py`, or `python -m module`."""

import builtins
import os
import runpy
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from traindeck.runner.execute import execute
from traindeck.runner.order import ScriptOrder
from traindeck.runner.shadows import forget_shadowed
from traindeck.runner.uncaught import exit_code_of
from traindeck.runner.unseen import unseen


@unseen
def run_script(script: ScriptOrder) -> int:
    """Run the file or the module as `__main__`; the exit code, negative for a signal to end by."""
    sys.dont_write_bytecode = True
    folder = os.path.realpath(_folder(script))
    sys.path[0:1] = [folder]
    forget_shadowed(folder)
    return _run_module(script) if script.program.kind == "module" else _run_file(script)


def _folder(script: ScriptOrder) -> str:
    # Python looks beside what a link leads to, and a folder that was not named is that of the file.
    is_module = script.program.kind == "module"
    beside = "" if is_module else os.path.dirname(os.path.realpath(script.file))  # noqa: PTH120
    if script.path0 and (is_module or script.path0 != os.path.dirname(script.file)):  # noqa: PTH120
        return script.path0
    return beside or script.path0


@unseen
def _run_file(script: ScriptOrder) -> int:
    sys.argv = [script.file, *script.program.args]
    sys.orig_argv = [sys.executable, *sys.argv]
    try:
        code = compile(Path(script.source).read_bytes(), script.file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OSError):
        # Nothing has run yet. A fresh interpreter says itself, in its own words, what is wrong.
        execute(script)
    _make_main(__file__=script.file, __cached__=None, __loader__=SourceFileLoader("__main__", script.file))
    try:
        exec(code, sys.modules["__main__"].__dict__)  # noqa: S102
    except BaseException as error:
        return exit_code_of(error, code)
    return 0


@unseen
def _run_module(script: ScriptOrder) -> int:
    module, args = script.program.module or "", script.program.args
    sys.argv = ["-m", *args]
    sys.orig_argv = [sys.executable, "-m", module, *args]
    _make_main()
    try:
        # What the interpreter itself calls for -m: its frames are in the traceback there, too.
        runpy._run_module_as_main(module)  # type: ignore[attr-defined]
    except BaseException as error:
        return exit_code_of(error, runpy._run_module_as_main.__code__)  # type: ignore[attr-defined]
    return 0


def _make_main(**names: object) -> None:
    """Make the module of the program. As under Python only `sys.modules` holds it, so that it goes at the end."""
    main = ModuleType("__main__")
    main.__dict__.update(__annotations__={}, __builtins__=builtins, **names)
    sys.modules["__main__"] = main
    if "__mp_main__" in sys.modules:
        # What multiprocessing calls the program where it was started anew: spawned processes send back its classes so.
        sys.modules["__mp_main__"] = main
