"""Keeps heavy libraries out of the process that only wants to know what trainers there are."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import TracebackType

HEAVY = frozenset(
    (
        *(
            "accelerate",
            "datasets",
            "deepspeed",
            "flax",
            "jax",
            "keras",
            "lightning",
            "matplotlib",
            "moviepy",
        ),
        *("numpy", "pandas", "pytorch_lightning", "scipy", "sklearn", "tensorboard", "tensorflow", "timm"),
        *("torch", "torchaudio", "torchvision", "transformers"),
    )
)
"""Top-level packages that cost a server its quick start and its small memory."""


class HeavyImportRefused(ImportError):
    """A module asked for one of the `HEAVY` packages while the guard stood."""


class HeavyImportGuard:
    """While entered, an import of a `HEAVY` package that is not loaded yet fails, and `tripped` tells of it.

    A module may swallow that failure and go on without the library, so every module that was being imported at
    that moment is half of itself: it is forgotten again on leaving, for a later import to find it whole.
    """

    def __init__(self) -> None:
        self.tripped = False
        self._harmed: set[str] = set()

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Refuse heavy packages; leave every other name to the finders that follow."""
        if fullname.partition(".")[0] not in HEAVY:
            return None
        self.tripped = True
        self._harmed |= _being_imported()
        raise HeavyImportRefused(f"{fullname} is not imported here", name=fullname)

    def __enter__(self) -> HeavyImportGuard:
        sys.meta_path.insert(0, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.meta_path.remove(self)
        for name in self._harmed:
            sys.modules.pop(name, None)


def _being_imported() -> set[str]:
    # The import system marks a module so from its begin to its end, for other threads to wait.
    specs = {name: getattr(module, "__spec__", None) for name, module in list(sys.modules.items())}
    return {name for name, spec in specs.items() if getattr(spec, "_initializing", False)}
