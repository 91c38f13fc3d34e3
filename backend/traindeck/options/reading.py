"""Arguments as they were read by the rules of a parser: the same for every kind of parser."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

from traindeck.options.declaration import DeclaredOption

INFINITIES = frozenset({"inf", "-inf", "nan"})
BOUNDS = (
    ("minimum", operator.ge, "at least"),
    ("exclusive_minimum", operator.gt, "greater than"),
    ("maximum", operator.le, "at most"),
    ("exclusive_maximum", operator.lt, "less than"),
)


@dataclass(slots=True)
class ReadArguments:
    """Arguments as they were read.

    `values` are the parameters that were given, by key. With a `refusal` the script would refuse the arguments, in
    these words. `early`: help or a version was asked for. `unsure`: code of the script's own decides, so that only
    the script itself can tell. `extras` are arguments that the script passes over. `from_file`: some stand in a file.
    `unknown`: the script takes them in a way of its own, so that their values are unknown.
    """

    values: dict[str, Any] = field(default_factory=dict)
    extras: list[str] = field(default_factory=list)
    refusal: str | None = None
    early: bool = False
    unsure: bool = False
    from_file: bool = False
    unknown: bool = False


class RefusedArguments(Exception):
    """The arguments are such that the script would refuse them; the message is what it would say."""


class Early(Exception):
    """Help or a version was asked for: nothing after it matters."""


def parts_of(option: DeclaredOption, count: int) -> Iterator[DeclaredOption]:
    """The option once for each of `count` values: of a tuple, each may be of a kind of its own."""
    parts = option.get("parts")
    return islice(cycle([{**option, **part} for part in parts] if parts else [option]), count)


def converter(option: DeclaredOption, reading: ReadArguments) -> Callable[[str], Any]:
    """The function that makes a value of an option's text; it raises ValueError for one that does not fit.

    Where the script's own code would be asked, `reading` becomes unsure.
    """
    known = {choice["text"]: choice["value"] for choice in option.get("choices") or ()}
    if option.get("ignore_case"):
        known = {text.lower(): value for text, value in known.items()}
    if not known:
        known = option.get("known", {})
    kind, custom = option["kind"], option["custom"]

    def convert(text: str) -> Any:
        if kind == "bool" and option.get("truth"):
            return bool(text)
        plain = text.strip().lower() if option.get("ignore_case") else text
        if plain in known:
            return known[plain]
        if not custom:
            return _number(kind, text)
        reading.unsure = True
        try:
            return _number(kind, text)
        except ValueError:
            return text

    convert.__name__ = kind
    return convert


def _number(kind: str, text: str) -> Any:
    if kind == "int":
        return int(text)
    if kind == "float":
        number = float(text)
        return number if math.isfinite(number) else str(number)
    return text


def out_of_bounds(option: DeclaredOption, value: Any) -> str | None:
    """What is wrong with a number: the words for its bound, or None."""
    number = float(value) if isinstance(value, str) and value in INFINITIES else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    for bound, fits, words in BOUNDS:
        limit: Any = option.get(bound)
        if limit is not None and not fits(number, limit):
            return f"{words} {limit}"
    return None
