"""What a run runs, in words and as a shell would be given it."""

import re
import shlex
from typing import Any

from traindeck.runs.view import RunView, ScriptKind, ScriptView

IMPORTED = "imported"
"""In place of a program: whatever wrote an imported run, the deck did not start it."""


def program(run: RunView) -> str:
    """What the run runs: its trainer's name, its script's file name or module, or its whole command."""
    if run.trainer or run.script is None:
        return run.trainer or IMPORTED
    if run.script.kind is ScriptKind.MODULE:
        return run.script.module or run.script.filename
    if run.script.kind is ScriptKind.COMMAND:
        return shlex.join(run.script.command)
    return run.script.filename


def command_line(run: RunView) -> str:
    """The script as a shell would be given it, or "" for a trainer. Its folder is `ScriptView.cwd`."""
    script = run.script
    if script is None:
        return ""
    if script.kind is ScriptKind.COMMAND:
        return shlex.join([*script.command, *script.args])
    named = ["-m", script.module or script.filename] if script.kind is ScriptKind.MODULE else [script.filename]
    return shlex.join([script.python or "python", *named, *script.args])


def given_params(script: ScriptView, params: dict[str, Any]) -> list[str]:
    """The names of the parameters that the script's arguments mention, in the order of the arguments."""
    words = [re.sub(r"^-+|=.*$", "", word).replace("-", "_").lower() for word in script.args if word.startswith("-")]
    by_flag = {name.replace("-", "_").lower(): name for name in params}
    return list(dict.fromkeys(by_flag[word] for word in words if word in by_flag))
