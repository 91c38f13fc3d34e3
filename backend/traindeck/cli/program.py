"""What a run shall run: a trainer with its parameters, or a script, a module or a command with its arguments."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traindeck.cli.client import call
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.parameters import Parameters

if TYPE_CHECKING:
    import httpx

SHEBANG_BYTES = 256


@dataclass(frozen=True, slots=True)
class Start:
    """How a program of the user's is started, as given on the command line."""

    python: str | None = None
    cold: bool = False
    resume_arg: str | None = None

    def check_none(self, program: str) -> None:
        """Raises CommandFailed where any is given: they go with a script."""
        given = [
            option
            for option, value in (("--python", self.python), ("--cold", self.cold), ("--resume-arg", self.resume_arg))
            if value
        ]
        if given:
            raise CommandFailed(f"{given[0]} goes with a script; {program} is a trainer", Exit.USAGE)

    def fields(self) -> dict[str, Any]:
        """As fields of a script."""
        fields: dict[str, Any] = {"cwd": here(), "cold": self.cold, "resume_arg": self.resume_arg}
        # As a path of the caller's folder: the deck's own is elsewhere.
        fields["python"] = os.path.abspath(os.path.expanduser(self.python)) if self.python else None  # noqa: PTH100, PTH111
        return {name: value for name, value in fields.items() if value not in (None, False)}


def here() -> str:
    """The caller's folder as the caller calls it: links in its path stay what they are."""
    return os.path.abspath(".")  # noqa: PTH100


def is_script(program: str) -> bool:
    """Whether a program's name is a Python file's path."""
    return program.endswith(".py") or ("/" in program and not is_executable(program))


def is_executable(program: str) -> bool:
    """Whether it is a path of something that the system starts by itself, other than with Python."""
    path = Path(program)
    if "/" not in program or not path.is_file() or not os.access(path, os.X_OK):
        return False
    try:
        with path.open("rb") as file:
            first = file.read(SHEBANG_BYTES).partition(b"\n")[0]
    except OSError:
        return False
    return first.startswith((b"#!", b"\x7fELF")) and b"python" not in first


def is_command(program: str) -> bool:
    """Whether the name is that of an executable: by its path, or on the PATH."""
    return is_executable(program) or ("/" not in program and shutil.which(program) is not None)


def script_of(path: str, arguments: Sequence[str], start: Start) -> dict[str, Any]:
    """The part of a launch that names a script."""
    # As a path of the caller's folder: the deck's own is elsewhere. Links in it stay what they are.
    return {"script": {"path": os.path.abspath(path), "args": list(arguments), **start.fields()}}  # noqa: PTH100


def module_of(module: str, arguments: Sequence[str], start: Start) -> dict[str, Any]:
    """The part of a launch that names a module, which is found from the caller's folder."""
    return {"script": {"module": module, "args": list(arguments), **start.fields()}}


def command_of(words: Sequence[str], start: Start) -> dict[str, Any]:
    """The part of a launch that names any program.

    Raises:
        CommandFailed: an interpreter was named beside it.
    """
    if start.python:
        raise CommandFailed("--python goes with a script; a command names its program itself", Exit.USAGE)
    return {"script": {"command": list(words), **start.fields()}}


def upload_of(words: Sequence[str], pairs: Sequence[str], entry: str | None, start: Start) -> dict[str, Any]:
    """The part of a launch that goes with a file or a folder that is sent.

    Raises:
        CommandFailed: no file is named, or something that does not go with one.
    """
    if not words:
        raise CommandFailed("Missing argument 'PROGRAM': the script, folder or .zip to send", Exit.USAGE)
    if pairs:
        raise CommandFailed(f"-p does not go with --upload; what {words[0]} shall get follows it as it is", Exit.USAGE)
    # The caller's folder and interpreter are of this machine; the deck's may have none of them.
    fields = {**start.fields(), "python": start.python, "entry": entry, "args": list(words[1:])}
    return {"script": {name: value for name, value in fields.items() if name != "cwd" and value is not None}}


def options_of(client: "httpx.Client", script: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """The part of a launch that gives a script's options by name, beside its arguments.

    Raises:
        CommandFailed: the script declares no options that the deck can read.
    """
    if not pairs:
        return {}
    found = call(client, "POST", "/scripts/inspect", body={"script": {**script, "args": []}}).json()
    if found["schema"] is None:
        raise CommandFailed(f"-p needs options that a script declares: {found['reason']}", Exit.USAGE)
    parameters = Parameters(found["schema"])
    parameters.read_pairs(pairs)
    return {"params": parameters.read}


def trainer_of(
    client: "httpx.Client", name: str, arguments: Sequence[str], pairs: Sequence[str], own: Sequence[str]
) -> dict[str, Any]:
    """The part of a launch that names a trainer; `own` are options of the command that are no parameters.

    Raises:
        CommandFailed: there is no such trainer, or an option is none of its parameters.
    """
    parameters = Parameters(find_trainer(client, name)["params_schema"], own)
    parameters.read_options(arguments)
    parameters.read_pairs(pairs)
    return {"trainer": name, "params": parameters.read}


def is_trainer(client: "httpx.Client", name: str) -> bool:
    """Whether a trainer of this name is installed, be it broken. Raises CommandFailed."""
    answer = call(client, "GET", "/trainers").json()
    return any(one["name"] == name for one in (*answer["items"], *answer["broken"]))


def find_trainer(client: "httpx.Client", name: str) -> Mapping[str, Any]:
    """The installed trainer `name` as the deck describes it.

    Raises:
        CommandFailed: there is none, or it is broken; the message names the reason, or the nearest name.
    """
    from traindeck.unknown import unknown_name

    answer = call(client, "GET", "/trainers").json()
    found = {one["name"]: one for one in answer["items"]}
    if name in found:
        trainer: Mapping[str, Any] = found[name]
        return trainer
    for broken in answer["broken"]:
        if broken["name"] == name:
            raise CommandFailed(f"trainer {name!r} of {broken['package']} is broken: {broken['reason']}")
    hint = f"; to launch the file, write ./{name}" if os.path.isfile(name) else ""  # noqa: PTH113
    raise CommandFailed(unknown_name("trainer", name, found) + hint, Exit.NOT_FOUND)
