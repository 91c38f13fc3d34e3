"""What a run shall run: an installed trainer with its parameters, or a script with its arguments."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from traindeck.cli.client import call
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.parameters import Parameters

if TYPE_CHECKING:
    import httpx


def is_script(program: str) -> bool:
    """Whether a program's name is a script's path; if not, it is a trainer's name."""
    return "/" in program or program.endswith(".py")


def script_of(path: str, arguments: Sequence[str], pairs: Sequence[str]) -> dict[str, Any]:
    """The part of a launch that names a script.

    Raises:
        CommandFailed: a trainer's parameters were given with it.
    """
    if pairs:
        raise CommandFailed(f"-p goes with a trainer; what {path} shall get follows it as it is", Exit.USAGE)
    # As a path of the caller's folder: the deck's own is elsewhere. Links in it stay what they are.
    return {"script": {"path": os.path.abspath(path), "args": list(arguments)}}  # noqa: PTH100


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


def find_trainer(client: "httpx.Client", name: str) -> Mapping[str, Any]:
    """The installed trainer `name` as the deck describes it.

    Raises:
        CommandFailed: there is none, or it is broken; the message names the reason, or the nearest name.
    """
    from traindeck.trainers.parameters import unknown_name

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
