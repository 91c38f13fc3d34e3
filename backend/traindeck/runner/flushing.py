"""Makes event files fresh: a `SummaryWriter` flushes every second where the script chose no interval.

Also read by interpreters other than the deck's: see hook/sitecustomize.py. So it needs nothing but Python 3.8.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

MODULES = ("torch.utils.tensorboard.writer", "tensorboardX.writer")
"""Both have a `SummaryWriter`, of which Lightning's and Hugging Face's loggers are users, and wait for 120 s."""
FLUSH_SECONDS = 1


def flush_often() -> None:
    """Change the default of `SummaryWriter(flush_secs=…)`, now or when a writer is imported."""
    for name in MODULES:
        change_module(name, lambda module: change_default(module.SummaryWriter))


def change_module(name: str, change: Callable[[Any], None]) -> None:
    """Call `change` with a module, now or right after it is imported."""
    module = sys.modules.get(name)
    if module is not None:
        change(module)
    else:
        sys.meta_path.insert(0, _OnImport(name, change))


def change_default(writer_class: Any) -> None:
    """Replace the default of `flush_secs`; one that a caller gives still wins."""
    initializer = writer_class.__init__
    code, defaults = initializer.__code__, list(initializer.__defaults__ or ())
    with_default = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    if "flush_secs" in with_default:
        defaults[with_default.index("flush_secs")] = FLUSH_SECONDS
        initializer.__defaults__ = tuple(defaults)


class _OnImport:
    """Changes one module right after its own code has run, and is gone then."""

    def __init__(self, name: str, change: Callable[[Any], None]) -> None:
        self.name, self.change = name, change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_change(module: ModuleType) -> None:
            load(module)
            self.change(module)

        spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec
