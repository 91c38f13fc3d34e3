"""Replaces the process by the program of an order: another interpreter, a fresh one, or any command."""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from traindeck.runner.order import ScriptOrder

NOT_FOUND = 127
NOT_EXECUTABLE = 126
"""As a shell has it."""
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


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
