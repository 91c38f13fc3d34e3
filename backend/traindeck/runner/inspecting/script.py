"""Run a script as `__main__` until its parser would parse, in a folder of its own, and write down what it declares.

This runs in the interpreter of the script, which may be older than the deck's and have no Traindeck: it needs nothing
but the standard library of Python 3.9. Meanwhile Python code cannot change files. A program that the script starts, or
a library that opens files by itself, still can. A library whose options have no form here ends the inspection as soon
as it is imported, because running past its parser would train.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import os
import runpy
import sys
import types
from collections.abc import Callable
from typing import Any, NoReturn

from traindeck.runner.inspecting.declared import text_of
from traindeck.runner.inspecting.hooks import Hooks

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
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    # Of each, the places of the paths that it changes, and of the open folders that they are relative to.
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
    "shutil.rmtree": ((0, None),),
}
NO_FILES = ("/dev", "/proc")
VARIABLES = ("TMPDIR", "TEMP", "TMP")
TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108
MIRRORED = 1000
OUTPUTS = ("runs", "lightning_logs", "logs", "wandb", "mlruns", "outputs", "output", "checkpoints", "node_modules")


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


class Protection:
    """Which files may be changed: those in the folder of the inspection, temporary ones, and hidden ones.

    Caches of libraries lie in folders with a dot. In the script's own folders temporary files are not told from others.
    """

    def __init__(self, work: str, own: list[str]) -> None:
        self.work = _ending(work)
        self.own = [_ending(folder) for folder in own]
        self.free = [_ending(folder) for folder in (*NO_FILES, *_temporary())]

    def start(self) -> None:
        """Refuse from now on, and to the end of the process."""
        sys.addaudithook(self._watch)

    def _watch(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(args[2], int) and args[2] & WRITING:
                self._check(args[0], None)
        elif event in CHANGES:
            for path, folder in CHANGES[event]:
                # Older Pythons tell of no folder.
                self._check(args[path], args[folder] if folder is not None and folder < len(args) else None)

    def _check(self, path: Any, folder: Any) -> None:
        if isinstance(path, int) or path is None:
            # It is open already, and was looked at then.
            return
        text = os.fsdecode(path)
        if isinstance(folder, int) and folder >= 0:
            text = os.path.join("/proc/self/fd", str(folder), text)  # noqa: PTH118
        if not self.allows(text):
            raise PermissionError(13, "Not written while the options are read", os.fsdecode(path))

    def allows(self, path: str) -> bool:
        """Whether a file may be made, changed or removed."""
        # Of a link, the last step is not followed where it is removed; what it leads to is as good a reason to refuse.
        where = os.path.realpath(path)
        if where.startswith(self.work):
            return True
        for own in self.own:
            if where.startswith(own):
                inside = [free for free in self.free if free.startswith(own) and free != own]
                return os.sep + "." in where[len(own) - 1 :] or where.startswith(tuple(inside))
        return os.sep + "." in where or where.startswith(tuple(self.free))


def _temporary() -> list[str]:
    """The folder of temporary files, as `tempfile` finds it; it tries by writing there."""
    folders = [*filter(None, map(os.environ.get, VARIABLES)), *TEMPORARY]
    return [folder for folder in folders if os.path.isdir(folder) and os.access(folder, os.W_OK)][:1]  # noqa: PTH112


def _ending(folder: str) -> str:
    return os.path.realpath(folder).rstrip(os.sep) + os.sep


def inspect(request: dict[str, Any]) -> NoReturn:
    """Do what a request says: `kind` file or module, `source`, `file`, `module`, `path0`, `argv`, `libraries`,
    `calls`, `parse` (arguments, or null), `folder` to work in, `base` folder or null, `answer` to write."""

    def answer(found: dict[str, Any]) -> NoReturn:
        _write(request["answer"], found)
        os._exit(0)

    _use_folder(request["folder"], request["base"])
    for name in [one for one in os.environ if one.startswith("TRAINDECK_")]:
        del os.environ[name]
    hooks = Hooks(answer, request["parse"], request["calls"], request["path0"])
    sys.argv = [request["file"], *request["argv"]]
    sys.path.insert(0, request["path0"])
    sys.dont_write_bytecode = True
    hooks.install(request["libraries"])
    Formless(hooks.answer).install()
    own = [folder for folder in (request["base"], request["path0"]) if folder]
    Protection(os.path.dirname(request["answer"]), own).start()  # noqa: PTH120
    reason, passed = "it ended before it came to a parser", True
    try:
        _run(request)
    except BaseException as error:
        reason += ": " + _told(error)
        passed = isinstance(error, SystemExit) and error.code in (None, 0, False)
    hooks.answer_provisionally()
    answer({"reason": reason, "passed": passed})


def _use_folder(folder: str, base: str | None) -> None:
    """Work in a folder in which the files of `base` are found, but nothing that is written stays."""
    os.chdir(folder)
    try:
        with os.scandir(base or folder) as found:
            entries = [entry for entry in found if not entry.name.startswith(".")]
    except OSError:
        return
    for entry in entries if len(entries) <= MIRRORED else []:
        if entry.name not in OUTPUTS and entry.name != "__pycache__":
            try:
                os.symlink(entry.path, entry.name)  # noqa: PTH211
            except OSError:
                # The folder has that name already, or takes no links: the script misses this one file.
                continue


def _run(request: dict[str, Any]) -> None:
    if request["kind"] == "module":
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
        return
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=request["file"], __builtins__=__builtins__, __cached__=None, __annotations__={})
    sys.modules["__main__"] = main
    with open(request["source"], "rb") as file:  # noqa: PTH123 (as little as can be is imported)
        code = compile(file.read(), request["file"], "exec", dont_inherit=True)
    exec(code, main.__dict__)  # noqa: S102


def _told(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "exit " + text_of(0 if error.code is None else error.code)
    text = " ".join(text_of(error).split())
    return type(error).__name__ + (": " + text[:300] if text else "")


def _write(path: str, found: dict[str, Any]) -> None:
    partial = path + "." + str(os.getpid())
    with open(partial, "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        json.dump(found, file)
    os.replace(partial, path)
