"""What a field of a form may hold, from the JSON Schema of its parameter."""

from dataclasses import dataclass
from typing import Any

from traindeck.counting import counted
from traindeck.pages.numbers import show_exact

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number, or the length of a list, may be, as texts ("" for none) and as a hint for people."""

    least: str
    most: str
    open_least: bool
    open_most: bool
    hint: str

    @classmethod
    def of(cls, schema: Schema, kind: str) -> "Bounds":
        """Those of a schema; `kind` is the field's."""
        if kind == "list":
            least, most = schema.get("minItems"), schema.get("maxItems")
            return cls(_shown(least), _shown(most), False, False, _list_hint(schema, least, most))
        least, most = schema.get("minimum"), schema.get("maximum")
        open_least, open_most = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        return cls(
            least=_shown(least if least is not None else open_least),
            most=_shown(most if most is not None else open_most),
            open_least=least is None and open_least is not None,
            open_most=most is None and open_most is not None,
            hint=_hint(least, open_least, most, open_most),
        )


def _list_hint(schema: Schema, least: int | None, most: int | None) -> str:
    allowed = schema.get("items", {}).get("enum")
    of = f" of {', '.join(map(str, allowed))}" if allowed else ""
    if least is not None and least == most:
        return f"{counted(least, 'value')}{of}"
    return f"values{of}, with spaces between"


def _hint(least: float | None, open_least: float | None, most: float | None, open_most: float | None) -> str:
    low = _bound(least, "") or _bound(open_least, "above ")
    high = _bound(most, "") or _bound(open_most, "below ")
    if least is not None and most is not None:
        return f"{low} to {high}"
    told = [low if least is None else f"at least {low}", high if most is None else f"at most {high}"]
    return ", ".join(each for each, bound in zip(told, (low, high), strict=True) if bound)


def _bound(value: float | None, word: str) -> str:
    return "" if value is None else f"{word}{show_exact(value) if isinstance(value, float) else f'{value:,}'}"


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return show_exact(value) if isinstance(value, float) else str(value)
