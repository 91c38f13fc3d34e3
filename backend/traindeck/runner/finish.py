"""End a process as Python does, in a twentieth of the time.

With torch imported, Python's own way takes a second, as it takes every module down. All that a script can notice is
kept, in the same order: join threads, run `atexit`, flush the streams, release the modules of the program (so that
their objects are finalized), collect cycles, write open files. Then the process ends with the right exit code.
"""

import atexit
import contextlib
import gc
import io
import os
import signal
import sys
import sysconfig
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

from traindeck.runner import prctl
from traindeck.runner.unseen import unseen

FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
PACKED = (("gzip", "GzipFile"), ("bz2", "BZ2File"), ("lzma", "LZMAFile"), ("zipfile", "ZipFile"))
"""Files that are whole only once they were closed."""
HOOKS = ("excepthook", "unraisablehook", "displayhook", "breakpointhook")
TURN_SECONDS = 0.05
"""How long one thread has the interpreter where others want it: ten times as long as under Python, but not for good, as
one that only computes would never give it back."""
NEVER_SECONDS = 1e6
NOT_FLUSHED = 120
"""Python's exit code where the last of the output could not be written."""


def hold_other_threads() -> None:
    """Have daemon threads stand still, as far as can be, while what they use is taken apart.

    Python's own end stops each where it next waits for the interpreter. Here that is seldom given up, and a thread that
    gets as far as an exception keeps it to itself.
    """
    sys.setswitchinterval(TURN_SECONDS)
    main, unraisable = threading.get_ident(), sys.unraisablehook
    threading.excepthook = _stand_still
    sys.unraisablehook = lambda told: unraisable(told) if threading.get_ident() == main else _stand_still(told)


def let_go_of_handlers() -> None:
    """Take the program's signal handlers away, and with them what they hold."""
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


@unseen
def forget_modules(before: frozenset[str]) -> None:
    """Let go of `__main__` and of the program's own modules, those that were imported after `before` was noted.

    Installed packages stay: taking them apart is what Python's own end spends its time on.
    """
    # From here on nothing can be imported under Python; `warnings` would have this for a hint.
    sys.modules["tracemalloc"] = None  # type: ignore[assignment]
    # While everything is still reached from its modules: this puts holders before what they hold in the collector's
    # order, and in that order it finalises later. A file's text is written before its descriptor is closed.
    gc.collect()
    sys.last_value = sys.last_traceback = sys.last_type = None
    installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    own = [name for name in sys.modules if name not in before and not _lies_in(sys.modules[name], installed)]
    left = [_forget(name) for name in ("__main__", "__mp_main__", *own) if name in sys.modules]
    # A function holds its module's names, and they the function: the collector finalises such with all names intact.
    gc.collect()
    for module in reversed([reference() for reference in left]):
        if module is not None:
            _clear(module.__dict__)
    del module
    gc.collect()


@unseen
def write_open_files() -> None:
    """Write what files hold that something out of reach keeps open."""
    for name in HOOKS:
        setattr(sys, name, getattr(sys, f"__{name}__"))
    hold_other_threads()
    if len(sys._current_frames()) == 1:
        # Else another thread uses what it holds, and keeps it, as it does under Python.
        _clear_main(gc.get_objects())
    packed = tuple(getattr(sys.modules[name], kind) for name, kind in PACKED if name in sys.modules)
    # Not isinstance: it asks an object that is not one of these for its __class__, which may be code.
    files = [one for one in gc.get_objects() if issubclass(type(one), (*FILES, *packed))]
    for kinds in ((io.TextIOWrapper,), packed, FILES):
        for file in files:
            if issubclass(type(file), kinds):
                # As at the end of Python, which ignores what goes wrong in the end of a file.
                with contextlib.suppress(Exception):
                    _finish_file(file, packed)


def _finish_file(file: Any, packed: tuple[type, ...]) -> None:
    if issubclass(type(file), packed) or issubclass(type(getattr(file, "buffer", None)), packed):
        file.close()
    elif not file.closed:
        file.flush()


def _stand_still(_: object) -> NoReturn:
    while True:
        time.sleep(NEVER_SECONDS)


def _lies_in(module: Any, folders: tuple[str, ...]) -> bool:
    file = getattr(module, "__file__", None)
    return not isinstance(file, str) or file.startswith(folders)


def _forget(name: str) -> Any:
    module = sys.modules.pop(name)
    try:
        return weakref.ref(module)
    except TypeError:
        return lambda: None


@unseen
def _clear_main(objects: list[Any]) -> None:
    """Clear the names of `__main__` where something, such as a hook, has kept one of its functions."""
    for names in objects:
        if type(names) is dict and names.get("__name__") == "__main__" and "__builtins__" in names:
            _clear(names)


@unseen
def _clear(names: dict[str, Any]) -> None:
    """Set each name to None, those that begin with an underscore first, as the interpreter does."""
    for private in (True, False):
        for name in list(names):
            if name.startswith("_") == private and name not in ("__builtins__", "__name__"):
                names[name] = None


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
