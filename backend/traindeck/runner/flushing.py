"""Makes event files fresh: a `SummaryWriter` flushes every second where the script chose no interval."""

import importlib.abc
import inspect
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

MODULE = "torch.utils.tensorboard.writer"
FLUSH_SECONDS = 1


def flush_often() -> None:
    """Change the default of `SummaryWriter(flush_secs=…)`, now or when torch's writer is imported."""
    module = sys.modules.get(MODULE)
    if module is not None:
        change_default(module.SummaryWriter)
    else:
        sys.meta_path.insert(0, _OnImport())


def change_default(writer_class: Any) -> None:
    """Replace the default of `flush_secs`; one that a caller gives still wins."""
    initializer = writer_class.__init__
    named = list(inspect.signature(initializer).parameters.values())[1:]
    defaults = [parameter.default for parameter in named if parameter.default is not parameter.empty]
    names = [parameter.name for parameter in named if parameter.default is not parameter.empty]
    defaults[names.index("flush_secs")] = FLUSH_SECONDS
    initializer.__defaults__ = tuple(defaults)


class _OnImport(importlib.abc.MetaPathFinder):
    """Changes the default right after the module's own code has run."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_change(module: ModuleType) -> None:
            load(module)
            change_default(module.SummaryWriter)

        spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec
