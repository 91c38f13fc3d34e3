"""Stops a script where a library parses whose options have no form here, as soon as that library is imported.

Such a script is never run past its parser: it would train. Found here, too, are ways of a library around its own
parser, as that of Hugging Face's which reads a .json file instead of options.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

PARSES = {
    # Of each module, the functions and methods that parse, or lead to what parses.
    "jsonargparse": ("CLI", "auto_cli"),
    "jsonargparse._core": (
        "ArgumentParser.parse_args", "ArgumentParser.parse_known_args", "ArgumentParser.parse_object",
        "ArgumentParser.parse_env", "ArgumentParser.parse_path", "ArgumentParser.parse_string",
    ),
    "jsonargparse.core": (
        "ArgumentParser.parse_args", "ArgumentParser.parse_known_args", "ArgumentParser.parse_object",
        "ArgumentParser.parse_env", "ArgumentParser.parse_path", "ArgumentParser.parse_string",
    ),
    "lightning.pytorch.cli": ("LightningCLI.__init__",),
    "pytorch_lightning.cli": ("LightningCLI.__init__",),
    "tyro": ("cli",),
    "tyro._cli": ("cli", "_cli_impl", "get_parser"),
    "fire": ("Fire",),
    "fire.core": ("Fire",),
    "hydra._internal.utils": ("get_args_parser", "_run_hydra"),
    "hydra.main": ("get_args_parser", "_run_hydra"),
    "absl.app": ("run",),
    "absl.flags._flagvalues": ("FlagValues.__call__",),
    "docopt": ("docopt",),
    "cyclopts": ("run", "App.__call__", "App.parse_args"),
    "cyclopts.core": ("App.__call__", "App.parse_args", "App.parse_known_args"),
    "plac": ("call",),
    "plac_core": ("call",),
    "clize": ("run",),
    "clize.runner": ("run", "Clize.run"),
    "sacred.experiment": ("Experiment.run_commandline", "Experiment.run"),
    "draccus.argparsing": ("parse",),
    "pyrallis.argparsing": ("parse",),
    "defopt": ("run", "bind"),
}  # fmt: skip
AROUND = {
    # Of each module, the methods by which arguments are read without a parser.
    "transformers.hf_argparser": (
        "HfArgumentParser.parse_json_file", "HfArgumentParser.parse_yaml_file", "HfArgumentParser.parse_dict",
    ),
    "trl.scripts.utils": ("TrlParser.parse_args_and_config",),
}  # fmt: skip


class Formless(importlib.abc.MetaPathFinder):
    """Replaces what parses in the modules above: in those that are imported, and in others when they are."""

    def __init__(self, answer: Callable[[dict[str, Any]], NoReturn]) -> None:
        self.answer = answer
        self.main_process = os.getpid()

    def install(self) -> None:
        """Begin. Nothing is imported for it."""
        for name in (*PARSES, *AROUND):
            if name in sys.modules:
                self._replace_in(sys.modules[name])
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """The module as others find it, which replaces its functions once it is executed."""
        if name not in PARSES and name not in AROUND:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: importlib.machinery.ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self._replace_in)
                return spec
        return None

    def _replace_in(self, module: Any) -> None:
        library = module.__name__.partition(".")[0]
        reason = "its options are declared with " + library + ", which has no form here; argparse, click and Typer have"
        for path in PARSES.get(module.__name__, ()):
            self._replace(module, path, {"reason": reason})
        for path in AROUND.get(module.__name__, ()):
            self._replace(module, path, {"reason": "it reads a file instead of options", "passed": True})

    def _replace(self, module: Any, path: str, answer: dict[str, Any]) -> None:
        owner, _, name = path.rpartition(".")
        holder = getattr(module, owner, None) if owner else module
        original = getattr(holder, "__dict__", {}).get(name)
        if not callable(original):
            return

        def replaced(*args: Any, **kwargs: Any) -> Any:
            # A process that the script has forked is not the one that is asked.
            if os.getpid() == self.main_process:
                self.answer(answer)
            return original(*args, **kwargs)

        setattr(holder, name, replaced)


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: Any, executed: Callable[[Any], None]) -> None:
        self.loader = loader
        self.executed = executed

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        self.loader.exec_module(module)
        # A library finds out about itself by these, as `importlib.resources` does.
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.executed(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)
