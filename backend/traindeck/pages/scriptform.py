"""The part of the launch form that says which script to run."""

import shlex
from dataclasses import dataclass
from typing import Any

SOURCE_NAME = "train.py"
"""What pasted source is called if nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to name a program."""

    name: str
    label: str
    chosen: bool


WAYS = {
    "path": "File on this machine",
    "upload": "Upload",
    "source": "Paste",
    "module": "Module",
    "command": "Command",
}


@dataclass(frozen=True, slots=True)
class ScriptForm:
    """The fields as texts; `way` is the one of `ways` that is chosen. `more` where something rarely needed is set."""

    ways: list[Way]
    way: str
    path: str
    source: str
    filename: str
    module: str
    command: str
    folder: str
    args: str
    python: str
    cold: bool
    resume_arg: str
    more: bool


def script_form(given: dict[str, Any]) -> ScriptForm:
    """The form filled in with the `script` of a POST /runs body, or empty."""
    way = next((name for name in WAYS if given.get(name)), "path")
    rare = ("python", "cold", "resume_arg", *(() if way in ("module", "command") else ("cwd",)))
    return ScriptForm(
        ways=[Way(name, label, name == way) for name, label in WAYS.items()],
        way=way,
        path=given.get("path") or "",
        source=given.get("source") or "",
        filename=given.get("filename") or SOURCE_NAME,
        module=given.get("module") or "",
        command=shlex.join(given.get("command") or []),
        folder=given.get("cwd") or "",
        args=shlex.join(given.get("args") or []),
        python=given.get("python") or "",
        cold=bool(given.get("cold")),
        resume_arg=given.get("resume_arg") or "",
        more=any(given.get(name) for name in rare),
    )
