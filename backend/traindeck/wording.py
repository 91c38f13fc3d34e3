"""Messages for unknown names, at bounded cost.

Finding the nearest known name is slow (difflib compares letter by letter), and a request may have 100,000 unknown
names. So only the first one gets a suggestion, and only the first few are reported.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Any

MOST_ERRORS = 20
"""The most errors that one answer reports."""

SHOWN_CHARACTERS = 80
"""A message quotes a refused value up to this length."""

COMPARED_NAMES = 500
COMPARED_CHARACTERS = 100
LISTED_NAMES = 100


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None."""
    if len(name) > COMPARED_CHARACTERS:
        return None
    candidates = (one for one in known if len(one) <= COMPARED_CHARACTERS)
    found = get_close_matches(name, islice(candidates, COMPARED_NAMES), n=1)
    return found[0] if found else None


def unknown_name(kind: str, name: str, known: Iterable[str], within: Iterable[str] = ()) -> str:
    """Return a message that there is no such `name`, with the nearest known name.

    `kind` says what is named, and `within` has the names of the enclosing objects, outermost first.
    """
    names = sorted(known)
    prefix = "".join(f"{outer}." for outer in within)
    near = nearest(name, names)
    if near is not None:
        return f"{_there_is_no(kind, prefix + name)}; did you mean {prefix + near!r}?"
    listed = ", ".join(prefix + one for one in names[:LISTED_NAMES]) or "none"
    more = f" and {len(names) - LISTED_NAMES} more" if len(names) > LISTED_NAMES else ""
    return f"{_there_is_no(kind, prefix + name)}; there are: {listed}{more}"


def unknown_names(
    kind: str, names: Sequence[str], known: Iterable[str], within: Iterable[str] = (), *, suggest: bool = True
) -> list[str]:
    """Return a message for each of the first `MOST_ERRORS` names; the first one suggests a known name."""
    prefix = "".join(f"{outer}." for outer in within)
    return [
        unknown_name(kind, name, known, within) if suggest and number == 0 else _there_is_no(kind, prefix + name)
        for number, name in enumerate(names[:MOST_ERRORS])
    ]


def few_unknown(values: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return `values` without the unknown names after the first `MOST_ERRORS`.

    The rest is refused for the same reason, and a validator that lists every error has few to list.
    """
    unknown = (name for name in values if name not in known)
    reported = set(islice(unknown, MOST_ERRORS))
    return {name: value for name, value in values.items() if name in known or name in reported}


def shown(value: Any) -> str:
    """Return a value as JSON, shortened if it is long."""
    try:
        text = json.dumps(value[:SHOWN_CHARACTERS] if isinstance(value, str) else value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = f"of type {type(value).__name__}"
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _there_is_no(kind: str, name: str) -> str:
    return f"there is no {kind} {shown(name)}"


def plural(count: int, noun: str) -> str:
    """Return the singular or plural of an English noun for `count`; a noun that ends in "s" is not changed."""
    if count == 1 or noun.endswith("s"):
        return noun
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
        return f"{noun[:-1]}ies"
    hisses = noun.endswith(("ch", "sh", "x")) and not noun.endswith("epoch")
    return f"{noun}es" if hisses else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """Return a count with thousands separators and its noun: `1 run`, `12,345 runs`."""
    return f"{count:,} {plural(count, noun)}"
