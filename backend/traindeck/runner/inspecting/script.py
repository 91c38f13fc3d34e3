"""Runs a script as `__main__` until its parser would parse, in a folder of its own, and writes down what it declares.

This runs in the interpreter that the script is for, which may be older than the deck's and without Traindeck: it needs
nothing but the standard library of Python 3.8.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import types
from typing import Any, NoReturn

from traindeck.runner.inspecting.formless import Formless
from traindeck.runner.inspecting.hooks import Hooks
from traindeck.runner.inspecting.protection import Protection
from traindeck.runner.inspecting.values import text_of

MIRRORED = 1000
OUTPUTS = ("runs", "lightning_logs", "logs", "wandb", "mlruns", "outputs", "output", "checkpoints", "node_modules")


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
