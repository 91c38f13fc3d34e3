"""Print to the terminal: answers and tables to stdout, everything else to stderr.

Colors and the window's width count on a terminal only, which NO_COLOR and TERM=dumb can change. A pipe or a file gets
whole lines of plain text. Text from a deck may contain anything, so what a terminal would obey is escaped.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console

GAP = 2


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


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    In a narrow window a column shrinks to `least` characters, if it has that limit; longer text ends in "…", or wraps
    if `wraps` is set. If that is not enough, columns are left out, the greatest `rank` first, but never rank 0.
    """

    title: str
    rank: int = 0
    right: bool = False
    least: int | None = None
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Text with a style, which only a terminal shows."""

    text: str
    style: str = ""


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]]) -> None:
    """Print rows, each with one cell for each column. Control characters in cells are escaped."""
    cells = [[_cell(one) for one in row] for row in rows]
    # An empty column takes no room.
    shown = [index for index in range(len(columns)) if not rows or any(row[index].text for row in cells)]
    if console().is_terminal:
        _print_fitted(columns, cells, shown)
    else:
        _print_aligned(columns, cells, shown)


def _cell(one: Cell | str) -> Cell:
    cell = one if isinstance(one, Cell) else Cell(one)
    return Cell(escape_controls(cell.text), cell.style)


def _print_aligned(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], shown: Sequence[int]) -> None:
    from rich.cells import cell_len

    widths = _widths(columns, rows)
    for texts in [[column.title for column in columns], *([cell.text for cell in row] for row in rows)]:
        parts = []
        for index in shown:
            space = " " * (widths[index] - cell_len(texts[index]))
            parts.append(space + texts[index] if columns[index].right else texts[index] + space)
        console().print((" " * GAP).join(parts).rstrip(), soft_wrap=True)


def _print_fitted(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], shown: Sequence[int]) -> None:
    from rich.table import Table
    from rich.text import Text

    screen = console()
    widths = fit_columns(columns, _widths(columns, rows), shown, screen.width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for index, width in widths.items():
        column = columns[index]
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.title, justify=justify, width=width, no_wrap=not column.wraps, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(row[index].text, style=row[index].style) for index in widths))
    screen.print(table)


def fit_columns(columns: Sequence[Column], wanted: Sequence[int], shown: Sequence[int], width: int) -> dict[int, int]:
    """Return the width of each of the `shown` columns that fits into `width` characters."""
    kept = list(shown)
    while _total(_least(columns[index], wanted[index]) for index in kept) > width:
        last = max(kept, key=lambda index: columns[index].rank)
        if not columns[last].rank:
            break
        kept.remove(last)
    widths = {index: wanted[index] for index in kept}
    while (excess := _total(widths.values()) - width) > 0:
        widest = max(kept, key=lambda index: widths[index] - _least(columns[index], wanted[index]))
        spare = widths[widest] - _least(columns[widest], wanted[widest])
        if not spare:
            break
        widths[widest] -= min(excess, spare)
    return widths


def _least(column: Column, wanted: int) -> int:
    return wanted if column.least is None else min(wanted, column.least)


def _total(widths: Iterable[int]) -> int:
    each = list(widths)
    return sum(each) + GAP * (len(each) - 1)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[int]:
    from rich.cells import cell_len

    return [
        max(cell_len(text) for text in (column.title, *(row[index].text for row in rows)))
        for index, column in enumerate(columns)
    ]
