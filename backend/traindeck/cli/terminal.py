"""The two ways to whoever called: stdout for what was asked, stderr for everything else.

Colour, and the width of the window, count on a terminal only; NO_COLOR and TERM=dumb are heeded. To a pipe or a
file go whole lines of plain text.
"""

import sys
from typing import TYPE_CHECKING

from traindeck.cli.plain import plain_lines

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> "Console":
    """A Rich console on which text is text: nothing in it is read as markup."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def say(text: str) -> None:
    """A line of the answer, on stdout."""
    console().print(plain_lines(text), soft_wrap=True)


def note(text: str) -> None:
    """A line beside the answer, on stderr."""
    console(stderr=True).print(plain_lines(text), soft_wrap=True)


def complain(text: str) -> None:
    """Why a command could not do its work, on stderr."""
    console(stderr=True).print(f"traindeck: {plain_lines(text)}", style="red", soft_wrap=True)


def write_json(content: bytes) -> None:
    """JSON as it came from the deck, on stdout."""
    write_bytes(content.rstrip(b"\n") + b"\n")


def write_bytes(content: bytes) -> None:
    """Bytes as they are, on stdout, at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
