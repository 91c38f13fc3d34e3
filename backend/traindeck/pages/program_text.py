"""Write a run's program as text: briefly, and as a shell command."""

import re
import shlex
from collections.abc import Sequence
from typing import Any

from traindeck.runs.view import RunView

IMPORTED = "imported"
"""Shown as the program of an imported run, which the deck did not start."""


def program_name(run: RunView) -> str:
    """Return the trainer's name, the script's file name or module, or the whole command."""
    if run.trainer or run.script is None:
        return run.trainer or IMPORTED
    if run.script.kind == "command":
        return shlex.join(run.script.command)
    return run.script.module or run.script.filename


def command_line(run: RunView) -> str:
    """Return the script's command for a shell, or "" for a trainer. Its folder is `Program.cwd`."""
    script = run.script
    return shlex.join(script.argv("python", script.filename)) if script else ""


def given_params(args: Sequence[str], params: dict[str, Any]) -> list[str]:
    """Return the parameters that the script's arguments name, in the order of the arguments."""
    words = [re.sub(r"^-+|=.*$", "", word).replace("-", "_").lower() for word in args if word.startswith("-")]
    by_flag = {name.replace("-", "_").lower(): name for name in params}
    return list(dict.fromkeys(by_flag[word] for word in words if word in by_flag))
