"""What a run runs, in words and as a shell would be given it."""

import re
import shlex
from collections.abc import Sequence
from typing import Any

from traindeck.runs.view import RunView

IMPORTED = "imported"
"""In place of a program: whatever wrote an imported run, the deck did not start it."""


def program(run: RunView) -> str:
    """What the run runs: its trainer's name, its script's file name or module, or its whole command."""
    if run.trainer or run.script is None:
        return run.trainer or IMPORTED
    if run.script.kind == "command":
        return shlex.join(run.script.command)
    return run.script.module or run.script.filename


def command_line(run: RunView) -> str:
    """The script as a shell would be given it, or "" for a trainer. Its folder is `Program.cwd`."""
    script = run.script
    return shlex.join(script.argv("python", script.filename)) if script else ""


def given_params(args: Sequence[str], params: dict[str, Any]) -> list[str]:
    """The names of the parameters that the script's arguments mention, in the order of the arguments."""
    words = [re.sub(r"^-+|=.*$", "", word).replace("-", "_").lower() for word in args if word.startswith("-")]
    by_flag = {name.replace("-", "_").lower(): name for name in params}
    return list(dict.fromkeys(by_flag[word] for word in words if word in by_flag))
