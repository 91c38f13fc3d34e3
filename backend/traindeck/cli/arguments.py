"""Arguments and options that several commands share, and the settings that options and environment give together."""

from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.exits import CommandFailed, Exit

if TYPE_CHECKING:
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
        wrong = [f"{_name(detail['loc'])}: {_reason(detail['msg'])}" for detail in error.errors()]
        raise CommandFailed("; ".join(wrong), Exit.USAGE) from error


def _name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
