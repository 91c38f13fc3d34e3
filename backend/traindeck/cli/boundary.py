"""Where the options of a command end, and a program of the user's with arguments of its own begins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """What the command line says to be launched."""

    PROGRAM = "a trainer or a script, whichever its name says"
    MODULE = "a module, after -m"
    COMMAND = "any program, after --"
    UPLOAD = "a file or folder of the caller's, to be sent"


class Option(Protocol):
    """What is to be known of an option of the command."""

    opts: list[str]
    secondary_opts: list[str]
    nargs: int
    param_type_name: str
    is_flag: bool


@dataclass(frozen=True, slots=True)
class Boundary:
    """The command's own options, what follows them, and what that is; None where nothing follows."""

    own: list[str]
    rest: list[str]
    kind: Kind | None


def find_boundary(arguments: Sequence[str], options: Iterable[Option], module: str = "--module") -> Boundary:
    """Split the arguments before the first word that is neither an option of the command nor the value of one.

    An option that the command does not have is left in `own`: who parses that complains of it. `module` is the option
    after whose value everything is the program's.
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
        name, takes_next = _read(word, known)
        at += 2 if takes_next else 1
        if name in module_names:
            return Boundary(list(arguments[:at]), list(arguments[at:]), Kind.MODULE)
    return Boundary(list(arguments), [], None)


def _read(word: str, known: dict[str, Option]) -> tuple[str, bool]:
    """The option that a word is, and whether its value is the next word."""
    if word.startswith("--"):
        name, equals, _ = word.partition("=")
        return name, not equals and name in known and not known[name].is_flag
    # One dash: flags may stand together, and a value may follow its option without a space.
    for place, letter in enumerate(word[1:], start=1):
        name = f"-{letter}"
        if name not in known or not known[name].is_flag:
            return name, name in known and place == len(word) - 1
    return word, False
