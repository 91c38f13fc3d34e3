"""`traindeck show`: print every field of a run's JSON as lines of name and value."""

import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from traindeck.cli.arguments import AsJson, Number, Url
from traindeck.cli.deck_client import call, connect, get_directions, read_run
from traindeck.cli.glance import glance
from traindeck.cli.terminal import console, escape_controls, write_json

GIT_FACTS = ("commit", "branch", "dirty")
INDENT = "  "
MOST_ON_A_LINE = 4
"""An object of at most this many fields is printed on the line of its name."""


def show(number: Number, as_json: AsJson = False, url: Url = None) -> None:
    """Show every field of a run."""
    with connect(url) as client:
        content = call(client, "GET", f"/runs/{number}").content
        if as_json:
            write_json(content)
            return
        record = call(client, "GET", f"/runs/{number}/record").json()
        metric = glance(read_run(content), datetime.now(UTC), get_directions(client)).metric
    git = record["git"] or {}
    shown = {name: git[name] for name in GIT_FACTS if git.get(name) is not None}
    screen = console()
    extra = {"command": record["command"], "git": shown, "key_metric": metric}
    for line in field_lines({**json.loads(content), **extra}):
        screen.print(line, soft_wrap=True)


def field_lines(content: Mapping[str, Any], depth: int = 0) -> list[str]:
    """Return a line for each field, with control characters escaped and the fields of nested objects indented."""
    width = max((len(escape_controls(name)) for name, value in content.items() if not _is_deep(value)), default=0)
    lines = []
    for name, value in content.items():
        label = escape_controls(name)
        start = INDENT * depth + label
        if _is_deep(value):
            lines += [start, *field_lines(value, depth + 1)]
        elif isinstance(value, str) and "\n" in value:
            lines += [start, *(INDENT * (depth + 1) + escape_controls(line) for line in value.split("\n"))]
        else:
            lines.append(f"{start}{' ' * (width - len(label))}{INDENT}{_shown(value)}".rstrip())
    return lines


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
        return escape_controls(shlex.join(str(one) for one in value))
    if isinstance(value, dict):
        named = ((name, one) for name, one in value.items() if one is not None)
        return ", ".join(f"{escape_controls(name)} {_shown(one)}" for name, one in named)
    return escape_controls(value)
