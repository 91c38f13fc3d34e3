"""Everything that the deck's JSON says of one thing, as lines of name and value."""

import shlex
from collections.abc import Mapping
from typing import Any

from traindeck.cli.plain import plain
from traindeck.cli.terminal import console

INDENT = "  "
MOST_ON_A_LINE = 4
"""A small object stands on the line of its name."""


def print_fields(content: Mapping[str, Any]) -> None:
    """Print every field; an object's own fields stand below it, further in."""
    screen = console()
    for line in field_lines(content):
        screen.print(line, soft_wrap=True)


def field_lines(content: Mapping[str, Any], depth: int = 0) -> list[str]:
    """The lines, each safe on a terminal."""
    width = max((len(plain(name)) for name, value in content.items() if not _is_deep(value)), default=0)
    lines = []
    for name, value in content.items():
        start = INDENT * depth + plain(name)
        if _is_deep(value):
            lines += [start, *field_lines(value, depth + 1)]
        elif isinstance(value, str) and "\n" in value:
            lines += [start, *(INDENT * (depth + 1) + plain(line) for line in value.split("\n"))]
        else:
            lines.append(f"{start}{' ' * (width - len(plain(name)))}{INDENT}{_shown(value)}".rstrip())
    return lines


def one_line(content: Mapping[str, Any]) -> str:
    """A small object's fields on one line."""
    return ", ".join(f"{plain(name)} {_shown(value)}" for name, value in content.items() if value is not None)


def _is_deep(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return len(value) > MOST_ON_A_LINE or any(isinstance(one, (dict, list)) for one in value.values())


def _shown(value: Any) -> str:
    if value is None or value in ({}, [], ""):
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return plain(shlex.join(str(one) for one in value))
    if isinstance(value, dict):
        return one_line(value)
    return plain(value)
