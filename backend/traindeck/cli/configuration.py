"""The settings of the deck that a command is about: from its options, then the environment, then the defaults."""

from typing import TYPE_CHECKING

from traindeck.cli.exits import CommandFailed, Exit

if TYPE_CHECKING:
    from traindeck.settings import Settings


def read_settings(**given: object) -> "Settings":
    """The settings; an option that is None was not given.

    Raises:
        CommandFailed: one of them, or of the variables TRAINDECK_…, is wrong; the message says what would be right.
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
