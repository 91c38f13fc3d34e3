"""Run a script as `python script.py` or `python -m module` does, in this process or by exec of another interpreter."""

import builtins
import os
import runpy
import signal
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from traindeck.runner.order import ScriptOrder
from traindeck.runner.uncaught import exit_code_of
from traindeck.runner.unseen import unseen

NOT_FOUND = 127
NOT_EXECUTABLE = 126
"""As a shell has it."""
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
STARTUP = frozenset(
    {"__main__", "_collections_abc", "_distutils_hack", "_sitebuiltins", "abc", "codecs", "encodings", "genericpath",
     "io", "os", "posixpath", "site", "sitecustomize", "stat", "usercustomize", "zipimport"}
)  # fmt: skip
"""What every Python has imported before it looks at a script: a file of such a name is not seen there either."""
SUFFIXES = (".py", ".pyc", ".so")


def execute(script: ScriptOrder) -> NoReturn:
    """Become the program; where there is none, say so in the log and end with 127 or 126.

    What the process has been given stays: streams, environment, folder, process group, and that it ends with its shim.
    """
    for number in (*IGNORED_BY_PYTHON, signal.SIGINT):
        # A handler ends with the program that is replaced; what is ignored would stay so.
        signal.signal(number, signal.SIG_DFL)
    arguments = arguments_of(script)
    try:
        os.execvp(arguments[0], arguments)  # noqa: S606 (no shell: nothing in it is a shell's to read)
    except FileNotFoundError:
        _end(f"command not found: {arguments[0]}", NOT_FOUND)
    except (OSError, ValueError) as error:
        _end(f"{arguments[0]} cannot be executed: {getattr(error, 'strerror', None) or error}", NOT_EXECUTABLE)


def arguments_of(script: ScriptOrder) -> list[str]:
    """Return the program to execute, and its arguments."""
    return script.program.argv(sys.executable, file_to_start(script))


def file_to_start(script: ScriptOrder) -> str:
    """Return the script's own path, unless it has changed since its content was kept."""
    if script.source == script.file or not script.source:
        return script.file
    try:
        same = Path(script.file).read_bytes() == Path(script.source).read_bytes()
    except OSError:
        same = False
    return script.file if same else script.source


def _end(message: str, code: int) -> NoReturn:
    os.write(2, f"traindeck: {message}\n".encode(errors="backslashreplace"))
    os._exit(code)


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


def forget_shadowed(folder: str) -> None:
    """Forget the imported modules whose names stand in `folder`, which is first in `sys.path`.

    Under `python script.py` a sibling `datasets.py` or `tqdm/` wins over an installed package; here that package may
    have been imported already. What has imported it keeps it.
    """
    names = _importable(folder) & _imported()
    if not names:
        return
    for module in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[module]


def _imported() -> set[str]:
    builtin = set(sys.builtin_module_names)
    return {name for name in sys.modules if "." not in name} - STARTUP - builtin


def _importable(folder: str) -> set[str]:
    found: set[str] = set()
    try:
        names = os.listdir(folder)
    except OSError:
        return found
    for name in names:
        stem, dot, _ = name.partition(".")
        if dot:
            if name.endswith(SUFFIXES):
                found.add(stem)
        elif stem in sys.modules and os.path.exists(os.path.join(folder, name, "__init__.py")):  # noqa: PTH110, PTH118
            found.add(stem)
    return found
