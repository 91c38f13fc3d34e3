"""Values of a script's options in a form that JSON has, and what the callables that make them accept."""

from __future__ import annotations

import enum
import math
import os
from collections.abc import Callable
from typing import Any

MAX_TEXT = 2000
MAX_DEPTH = 6
MAX_ITEMS = 1000
MAX_INT = 10**300

TRUE_TEXTS = ("true", "True", "TRUE", "yes", "Yes", "y", "Y", "t", "T", "1", "on")
FALSE_TEXTS = ("false", "False", "FALSE", "no", "No", "n", "N", "f", "F", "0", "off")


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it; as text where JSON has no form for it, infinities and NaN among them."""
    if isinstance(value, enum.Enum):
        return plain(value.value, depth + 1)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < MAX_INT else "a very large number"
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, (list, tuple, set, frozenset)) and depth < MAX_DEPTH:
        return [plain(one, depth + 1) for one in list(value)[:MAX_ITEMS]]
    if isinstance(value, dict) and depth < MAX_DEPTH:
        return {text_of(key): plain(one, depth + 1) for key, one in list(value.items())[:MAX_ITEMS]}
    return text_of(value)


def text_of(value: Any) -> str:
    """The value as text that can be written as UTF-8."""
    try:
        if isinstance(value, str):
            text = str(value)
        elif isinstance(value, os.PathLike):
            text = os.fsdecode(value)
        elif hasattr(value, "read") or hasattr(value, "write"):
            text = str(getattr(value, "name", "a file"))
        else:
            text = str(value)
    except Exception:
        text = "a " + type(value).__name__
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


class Probe:
    """What a callable that turns text into a value is found to do, by asking it."""

    def __init__(self, convert: Callable[[str], Any], default: Any = None) -> None:
        self.convert = convert
        self.texts: dict[str, bool] = {}
        self.kind = self._find_kind(default)

    def _find_kind(self, default: Any) -> str:
        if isinstance(default, bool) and self._tells_apart():
            return "bool"
        if isinstance(default, str) or self._takes("[1]"):
            return "str"
        if self._is_boolean():
            return "bool"
        if isinstance(default, bool) or not (default is None or isinstance(default, (int, float))):
            return "str"
        return self._number_kind(default)

    def _is_boolean(self) -> bool:
        self.texts = {text: value for text in TRUE_TEXTS + FALSE_TEXTS if isinstance(value := self._ask(text), bool)}
        both = set(self.texts.values()) == {True, False}
        return both and not self._takes("0.5") and all(value == (t in TRUE_TEXTS) for t, value in self.texts.items())

    def _tells_apart(self) -> bool:
        """Whether it makes true and false of some of their words; of any others it may make either."""
        asked = {text: (self._ask(text), text in TRUE_TEXTS) for text in TRUE_TEXTS + FALSE_TEXTS}
        self.texts = {text: wanted for text, (value, wanted) in asked.items() if value is wanted}
        return set(self.texts.values()) == {True, False}

    def _number_kind(self, default: Any) -> str:
        asked = [self._ask(text) for text in ("2", "0.5", "0.25", str(default))]
        numbers = [one for one in asked if isinstance(one, (int, float)) and not isinstance(one, bool)]
        if any(isinstance(one, float) for one in numbers):
            return "float"
        return "int" if numbers else "str"

    def _takes(self, text: str) -> bool:
        return self._ask(text) is not self

    def _ask(self, text: str) -> Any:
        """What the callable makes of a text; this object where it refuses."""
        try:
            return self.convert(text)
        except (Exception, SystemExit):
            return self


def bool_texts(texts: dict[str, bool]) -> dict[str, str]:
    """The text to write for each of true and false, of those that a callable was found to take."""
    return {
        "true": next(text for text in TRUE_TEXTS if text in texts),
        "false": next(text for text in FALSE_TEXTS if text in texts),
    }
