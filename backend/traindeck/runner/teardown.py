"""Lets go of a program's own modules at its end, as the interpreter does: what they hold is finalised, and written."""

import contextlib
import gc
import io
import sys
import sysconfig
import weakref
from typing import Any

FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


def forget_modules(before: frozenset[str]) -> None:
    """Let go of `__main__` and of the program's own modules, those that were imported after `before` was noted.

    Installed packages stay: taking them apart is what Python's own end spends its time on.
    """
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


def write_open_files() -> None:
    """Write what files hold that something out of reach keeps open."""
    _clear_main(gc.get_objects())
    for file in gc.get_objects():
        # Not isinstance: it asks an object that is not one of these for its __class__, which may be code.
        if issubclass(type(file), FILES) and not file.closed:
            with contextlib.suppress(OSError, ValueError):
                file.flush()


def _lies_in(module: Any, folders: tuple[str, ...]) -> bool:
    file = getattr(module, "__file__", None)
    return not isinstance(file, str) or file.startswith(folders)


def _forget(name: str) -> Any:
    module = sys.modules.pop(name)
    try:
        return weakref.ref(module)
    except TypeError:
        return lambda: None


def _clear_main(objects: list[Any]) -> None:
    """Clear the names of `__main__` where something, such as a hook, has kept one of its functions."""
    for names in objects:
        if type(names) is dict and names.get("__name__") == "__main__" and "__builtins__" in names:
            _clear(names)


def _clear(names: dict[str, Any]) -> None:
    """Set each name to None, those that begin with an underscore first, as the interpreter does."""
    for private in (True, False):
        for name in list(names):
            if name.startswith("_") == private and name not in ("__builtins__", "__name__"):
                names[name] = None
