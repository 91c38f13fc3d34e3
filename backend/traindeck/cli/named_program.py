"""Find the program that a command line names, and write it as the body of a launch request."""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from traindeck.cli.deck_client import call
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.parameter_options import ParameterReader

if TYPE_CHECKING:
    import httpx

SHEBANG_BYTES = 256


class Kind(Enum):
    """What the words after the options name."""

    PROGRAM = "a trainer or a script, depending on its name"
    MODULE = "a module, after -m"
    COMMAND = "any program, after --"
    UPLOAD = "a file or a folder of the caller, to be sent"


class CommandOption(Protocol):
    """The part of click's `Parameter` that finding the boundary needs."""

    opts: list[str]
    secondary_opts: list[str]
    nargs: int
    param_type_name: str
    is_flag: bool


@dataclass(frozen=True, slots=True)
class Boundary:
    """The command's own options, the words after them, and the kind of those; None if there are none."""

    own: list[str]
    rest: list[str]
    kind: Kind | None


def find_boundary(arguments: Sequence[str], options: Iterable[CommandOption], module: str = "--module") -> Boundary:
    """Split the arguments before the first word that is neither an option of the command nor the value of one.

    An unknown option stays in `own`, for the parser to refuse. `module` is the option after whose value everything
    belongs to the program.
    """
    known = {
        name: one for one in options if one.param_type_name == "option" for name in (*one.opts, *one.secondary_opts)
    }
    module_names = known[module].opts if module in known else []
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word == "--":
            return Boundary(list(arguments[:at]), list(arguments[at + 1 :]), Kind.COMMAND)
        if not word.startswith("-") or word == "-":
            return Boundary(list(arguments[:at]), list(arguments[at:]), Kind.PROGRAM)
        name, takes_next = _split_option(word, known)
        at += 2 if takes_next else 1
        if name in module_names:
            return Boundary(list(arguments[:at]), list(arguments[at:]), Kind.MODULE)
    return Boundary(list(arguments), [], None)


def _split_option(word: str, known: dict[str, CommandOption]) -> tuple[str, bool]:
    """Return the name of the option, and whether the next word is its value."""
    if word.startswith("--"):
        name, equals, _ = word.partition("=")
        return name, not equals and name in known and not known[name].is_flag
    # After one dash, flags may be combined, and a value may follow its option without a space.
    for place, letter in enumerate(word[1:], start=1):
        name = f"-{letter}"
        if name not in known or not known[name].is_flag:
            return name, name in known and place == len(word) - 1
    return word, False


@dataclass(frozen=True, slots=True)
class Start:
    """How to start a script, as given on the command line."""

    python: str | None = None
    cold: bool = False
    resume_arg: str | None = None

    def check_none(self, program: str) -> None:
        """Raise CommandFailed if any is given, because they go with scripts only."""
        given = [
            option
            for option, value in (("--python", self.python), ("--cold", self.cold), ("--resume-arg", self.resume_arg))
            if value
        ]
        if given:
            raise CommandFailed(f"{given[0]} works for scripts only, and {program} is a trainer", Exit.USAGE)

    def fields(self) -> dict[str, Any]:
        """Return these as fields of a script in a request."""
        fields: dict[str, Any] = {"cwd": current_folder(), "cold": self.cold, "resume_arg": self.resume_arg}
        # Relative to the caller's folder, because the deck runs in another one.
        fields["python"] = os.path.abspath(os.path.expanduser(self.python)) if self.python else None  # noqa: PTH100, PTH111
        return {name: value for name, value in fields.items() if value not in (None, False)}


def current_folder() -> str:
    """Return the caller's folder, with symbolic links in its path unresolved."""
    return os.path.abspath(".")  # noqa: PTH100


def is_script(program: str) -> bool:
    """Return whether a program's name is the path of a Python file."""
    return program.endswith(".py") or ("/" in program and not is_executable(program))


def is_executable(program: str) -> bool:
    """Return whether this is the path of a file that the system executes without Python."""
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
    """Return whether this is the path of an executable, or the name of one on the PATH."""
    return is_executable(program) or ("/" not in program and shutil.which(program) is not None)


def script_of(path: str, arguments: Sequence[str], start: Start) -> dict[str, Any]:
    """Return the fields of a launch that name a script."""
    # Relative to the caller's folder, because the deck runs in another one; symbolic links stay unresolved.
    return {"script": {"path": os.path.abspath(path), "args": list(arguments), **start.fields()}}  # noqa: PTH100


def module_of(module: str, arguments: Sequence[str], start: Start) -> dict[str, Any]:
    """Return the fields of a launch that name a module, to be found from the caller's folder."""
    return {"script": {"module": module, "args": list(arguments), **start.fields()}}


def command_of(words: Sequence[str], start: Start) -> dict[str, Any]:
    """Return the fields of a launch that name a command.

    Raises:
        CommandFailed: an interpreter is given, too.
    """
    if start.python:
        raise CommandFailed(
            "--python works for scripts and modules only. Name the interpreter in the command itself", Exit.USAGE
        )
    return {"script": {"command": list(words), **start.fields()}}


def upload_of(words: Sequence[str], pairs: Sequence[str], entry: str | None, start: Start) -> dict[str, Any]:
    """Return the fields of a launch for an uploaded file or folder.

    Raises:
        CommandFailed: no file is named, or parameters are given.
    """
    if not words:
        raise CommandFailed("Missing argument 'PROGRAM': the script, folder or .zip to send", Exit.USAGE)
    if pairs:
        raise CommandFailed(f"-p does not work with --upload. Write the arguments of {words[0]} after it", Exit.USAGE)
    # The caller's folder is not sent: the deck's machine may not have it.
    fields = {**start.fields(), "python": start.python, "entry": entry, "args": list(words[1:])}
    return {"script": {name: value for name, value in fields.items() if name != "cwd" and value is not None}}


def options_of(client: "httpx.Client", script: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a launch that give a script's options by name.

    Raises:
        CommandFailed: the deck cannot read which options the script declares.
    """
    if not pairs:
        return {}
    found = call(client, "POST", "/scripts/inspect", body={"script": {**script, "args": []}}).json()
    if found["schema"] is None:
        raise CommandFailed(f"-p needs a script whose options are known: {found['reason']}", Exit.USAGE)
    parameters = ParameterReader(found["schema"])
    parameters.read_pairs(pairs)
    return {"params": parameters.read}


def trainer_of(
    client: "httpx.Client", name: str, arguments: Sequence[str], pairs: Sequence[str], own: Sequence[str]
) -> dict[str, Any]:
    """Return the fields of a launch that name a trainer; `own` are the command's own options, for suggestions.

    Raises:
        CommandFailed: there is no such trainer, or it has no such parameter.
    """
    parameters = ParameterReader(find_trainer(client, name)["params_schema"], own)
    parameters.read_options(arguments)
    parameters.read_pairs(pairs)
    return {"trainer": name, "params": parameters.read}


def is_trainer(client: "httpx.Client", name: str) -> bool:
    """Return whether a trainer of this name is installed, even if it is broken. Raises CommandFailed."""
    answer = call(client, "GET", "/trainers").json()
    return any(one["name"] == name for one in (*answer["items"], *answer["broken"]))


def find_trainer(client: "httpx.Client", name: str) -> Mapping[str, Any]:
    """Return the deck's description of a trainer.

    Raises:
        CommandFailed: there is none, or it is broken; the message has the reason, or the nearest name.
    """
    from traindeck.wording import unknown_name

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
