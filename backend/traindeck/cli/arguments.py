"""Arguments and options that several commands share, and the settings that options and environment give together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.exits import CommandFailed, Exit

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from traindeck.settings import Settings

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="TRAINDECK_URL", help="The deck's address. Default: the deck served from the home."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the deck's own JSON, and nothing else.")]
Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The number of the run.", show_default=False)]
Numbers = Annotated[list[int], typer.Argument(metavar="N...", min=1, help="Numbers of runs.", show_default=False)]
Params = Annotated[
    list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeat it.")
]
Variables = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="An environment variable; repeat it.")]
ResumeArg = Annotated[
    str | None, typer.Option(metavar="FLAG", help="The script's option that takes a checkpoint to continue from.")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Watch the run until it ends.")]


def read_settings(**given: object) -> "Settings":
    """Return the settings: from the options given (those that are not None), then the environment, then the defaults.

    Raises:
        CommandFailed: an option or a variable TRAINDECK_… has a wrong value; the message says what is allowed.
    """
    from pydantic import ValidationError

    from traindeck.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = [_refusal(detail, given) for detail in error.errors()]
        raise CommandFailed("\n".join(wrong), Exit.USAGE) from error


def _refusal(detail: "ErrorDetails", given: Mapping[str, object]) -> str:
    name = str(detail["loc"][0])
    by_option = given.get(name) is not None
    setting = f"--{name.replace('_', '-')}" if by_option else f"TRAINDECK_{name.upper()}"
    if detail["type"] == "value_error":
        return f"{setting} {detail['msg'].removeprefix('Value error, ')}"
    return f"{setting} must be {_allowed(name)}; got {detail['input']}"


def _allowed(name: str) -> str:
    """Return the values that a setting may have: its type, and its bounds if it has any."""
    from traindeck.settings import Settings

    field = Settings.model_fields[name]
    kinds: dict[object, str] = {int: "a whole number", float: "a number", bool: "true or false"}
    kind = kinds.get(field.annotation, "valid")
    bounds = {key: getattr(part, key) for part in field.metadata for key in ("ge", "le") if hasattr(part, key)}
    return f"{kind} from {bounds['ge']:,} to {bounds['le']:,}" if len(bounds) == 2 else kind
