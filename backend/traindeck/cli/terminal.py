"""Print to the terminal: the answer to stdout, everything else to stderr.

Colors and the window's width count on a terminal only, which NO_COLOR and TERM=dumb can change. A pipe or a file gets
whole lines of plain text. Text from a deck may contain anything, so what a terminal would obey is escaped.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> "Console":
    """Return a Rich console that reads no markup in its text."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def print_answer(text: str) -> None:
    """Print lines of the answer to stdout."""
    console().print(escape_lines(text), soft_wrap=True)


def print_note(text: str) -> None:
    """Print lines that accompany the answer to stderr."""
    console(stderr=True).print(escape_lines(text), soft_wrap=True)


def print_failure(text: str) -> None:
    """Print to stderr why a command failed."""
    console(stderr=True).print(f"traindeck: {escape_lines(text)}", style="red", soft_wrap=True)


def write_json(content: bytes) -> None:
    """Write the deck's JSON to stdout, unchanged."""
    write_bytes(content.rstrip(b"\n") + b"\n")


def write_bytes(content: bytes) -> None:
    """Write bytes to stdout, unchanged and at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def escape_controls(text: object) -> str:
    r"""Return `text` on one line, with escapes such as `\x1b` for everything that a terminal obeys.

    These are control characters (which begin ANSI sequences), line breaks, and marks that change the direction of
    writing (category Cf).
    """
    return "".join(one if one.isprintable() else _escaped(one) for one in str(text))


def escape_lines(text: str) -> str:
    """Escape the text of each line, and keep line feeds."""
    return "\n".join(escape_controls(line) for line in text.split("\n"))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", errors="backslashreplace").decode("ascii")
