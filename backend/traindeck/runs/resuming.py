"""How a program is given the checkpoint that it resumes from: by an option of its own, or by its environment."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from traindeck.runner.program import Program
from traindeck.sources.runcode import CODE, code_of

VARIABLE = "TRAINDECK_RESUME_FROM"
MOST_FILES = 200
MOST_BYTES = 1_000_000
"""Of a program's code so much is searched for the variable."""
REMEMBERED = 1000


def way_to_resume(script: Program | None, run_folder: Path) -> str | None:
    """Return how a program is given its checkpoint: "" for a trainer, which has it from the deck, or its option, or
    `VARIABLE`; None where nothing tells that it would read one, so that it would start from the beginning."""
    if script is None:
        return ""
    return script.resume_arg or (VARIABLE if _names_variable(run_folder) else None)


# What a run has kept of its code does not change.
@lru_cache(REMEMBERED)
def _names_variable(run_folder: Path) -> bool:
    tree = code_of(run_folder)
    files = [file.path for file in tree.files if file.size <= MOST_BYTES] if tree else []
    return any(VARIABLE.encode() in _content(run_folder / CODE / path) for path in files[:MOST_FILES])


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def resumed(program: Program, checkpoint: str | None) -> Program:
    """Return the program with the checkpoint in its arguments, or unchanged without an option or a checkpoint.

    A command is a program with its arguments.
    """
    option = program.resume_arg
    if not option or not checkpoint:
        return program
    if program.kind == "command":
        return replace(program, command=_with_checkpoint(program.command, option, checkpoint))
    return replace(program, args=_with_checkpoint(program.args, option, checkpoint))


def _with_checkpoint(args: tuple[str, ...], option: str, checkpoint: str) -> tuple[str, ...]:
    """Return the arguments with the checkpoint after `option`.

    A value that the option has already is replaced. An option that ends in "=" takes its value in one word
    ("ckpt="), and so does one that was given so before ("--resume=last.pt").
    """
    joined = option if option.endswith("=") else f"{option}="
    for at, word in enumerate(args):
        if word.startswith(joined):
            return (*args[:at], joined + checkpoint, *args[at + 1 :])
        if word == option:
            return (*args[: at + 1], checkpoint, *args[at + 1 + _has_value(args, at) :])
    added = [joined + checkpoint] if option.endswith("=") else [option, checkpoint]
    return (*args, *added)


def _has_value(args: Sequence[str], at: int) -> int:
    """Return 1 if the word after the option is its value, and 0 if it is another option or missing."""
    return int(at + 1 < len(args) and not args[at + 1].startswith("-"))
