"""Write what a run executes as arguments of a process and as a line for a shell, and find its interpreter."""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from traindeck.db.tables import Run
from traindeck.runner.order import Order
from traindeck.runner.program import Program
from traindeck.runs.files import RunFiles

PYTHON_NAME = re.compile(r"(python|pypy)[0-9.]*(-config)?$")
SHEBANG_BYTES = 512


def argv_of_order(order: Order) -> list[str]:
    """Return the program and the arguments of an attempt, as in its order."""
    script = order.script
    if script is None:
        return _trainer_argv(order.trainer or "", order.params)
    return script.program.argv(sys.executable, script.file)


def argv_of_run(run: Run, files: RunFiles) -> list[str]:
    """Return the program and the arguments of a run that has not started yet."""
    if not run.script and not run.trainer:
        return []
    if not run.script:
        return _trainer_argv(run.trainer or "", run.params)
    script = Program.from_json(run.script)
    return script.argv(sys.executable, script.path or str(files.code / script.filename))


def shell_line(argv: list[str], own_python: str = sys.executable) -> str:
    """Return the command for a shell, with `python` for the deck's own interpreter."""
    program = ["python" if argv and argv[0] == own_python else one for one in argv[:1]]
    return shlex.join([*program, *argv[1:]])


def interpreter_of(order: Order, variables: Mapping[str, str]) -> tuple[str, bool] | None:
    """Return the Python that an attempt runs with, and whether that is a guess; None if none is found.

    For a command it is the program itself, or the interpreter that its first line names. A shell script can start any
    Python: the guess is the first one on its PATH.
    """
    script = order.script.program if order.script else None
    if script is None or script.kind != "command":
        return (script and script.python) or sys.executable, False
    path = variables.get("PATH")
    program = _located(script, path)
    if program is not None:
        if PYTHON_NAME.match(Path(program).name):
            return program, False
        named = _first_line_python(program, path)
        if named is not None:
            return named, False
    likely = shutil.which("python", path=path) or shutil.which("python3", path=path)
    return (likely, True) if likely else None


def _located(script: Program, path: str | None) -> str | None:
    name = script.command[0] if script.command else ""
    if "/" in name:
        return str(Path(script.cwd or "/") / name)
    return shutil.which(name, path=path)


def _first_line_python(program: str, path: str | None) -> str | None:
    """Return the interpreter in the `#!` line of a script, such as torchrun."""
    try:
        with Path(program).open("rb") as file:
            line = file.read(SHEBANG_BYTES).partition(b"\n")[0].decode(errors="replace")
    except OSError:
        return None
    words = line.removeprefix("#!").split() if line.startswith("#!") else []
    if words and Path(words[0]).name == "env":
        words = [found for found in (shutil.which(word, path=path) for word in words[1:]) if found]
    return words[0] if words and PYTHON_NAME.match(Path(words[0]).name) else None


def _trainer_argv(name: str, params: Mapping[str, Any]) -> list[str]:
    pairs = (f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in params.items())
    return ["traindeck", "launch", name, *(part for pair in pairs for part in ("-p", pair))]
