"""Parameters of a run, checked against a trainer's model, and errors that say what would be right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from traindeck.trainers.fields import names_at

SHOWN_CHARACTERS = 80
"""A refused value is quoted in its message up to this length."""

EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "an object",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "string_too_short": "at least {min_length} characters long",
    "string_too_long": "at most {max_length} characters long",
}
"""What would have been right, by pydantic's type of the error; braces are filled from the error's `ctx`."""


@dataclass(frozen=True, slots=True)
class ParamError:
    """One refused parameter: its name ("" for all together, "inner.width" inside another), and what would be right."""

    field: str
    message: str


class InvalidParams(ValueError):
    """The parameters do not fit the trainer; `errors` has one entry for each that does not."""

    def __init__(self, errors: list[ParamError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def validate_params(model: type[BaseModel], params: Mapping[str, Any]) -> BaseModel:
    """The model's instance for `params`, read by the rules of JSON; defaults stand in for what is missing.

    A parameter may go by its field's name or alias. An unknown one is refused unless the model says
    `extra="allow"`.

    Raises:
        InvalidParams: a parameter is unknown, missing, of a wrong type or out of bounds, or the model's own
            check failed in a way of its own.
    """
    extra: Literal["forbid"] | None = None if model.model_config.get("extra") == "allow" else "forbid"
    text = _as_json(params)
    try:
        return model.model_validate_json(text, extra=extra, by_name=True, by_alias=True)
    except ValidationError as error:
        details = error.errors(include_url=False)
        refused = [param_errors([detail], names_at(model, detail["loc"][:-1])) for detail in details]
        raise InvalidParams([one for some in refused for one in some]) from None
    except Exception as error:
        raise _unforeseen("check", error) from error


def complete_params(model: type[BaseModel], params: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters with their values, ready for JSON.

    Raises:
        InvalidParams: as for `validate_params`, or what they come to has no form in JSON.
    """
    checked = validate_params(model, params)
    try:
        complete = checked.model_dump(mode="json", exclude_computed_fields=True)
        json.dumps(complete, ensure_ascii=False, allow_nan=False).encode()
    except Exception as error:
        raise _unforeseen("way to write parameters as JSON", error) from error
    return complete


def param_errors(details: Iterable[Mapping[str, Any]], known: Iterable[str]) -> list[ParamError]:
    """Pydantic's errors (`loc`, `msg`, `type`, `input`, `ctx`) in words; `known` are the names at their place."""
    names = list(known)
    return [_param_error(detail, names) for detail in details]


def not_json(error: Exception) -> InvalidParams:
    """The refusal of parameters that JSON has no form for."""
    return InvalidParams([ParamError("", f"the parameters cannot be written as JSON: {error}")])


def _unforeseen(what: str, error: Exception) -> InvalidParams:
    return InvalidParams([ParamError("", f"the trainer's own {what} failed with {type(error).__name__}: {error}")])


def _as_json(params: Mapping[str, Any]) -> str:
    try:
        return json.dumps(params)
    except (TypeError, ValueError, RecursionError) as error:
        raise not_json(error) from None


def _param_error(detail: Mapping[str, Any], known: list[str]) -> ParamError:
    *outer, name = [str(part) for part in detail["loc"]] or [""]
    field = ".".join([*outer, name])
    value, kind = detail.get("input"), detail["type"]
    if kind == "extra_forbidden":
        return ParamError(field, unknown_name("parameter", name, known, within=outer))
    if kind == "missing":
        return ParamError(field, f"{field} is required: {detail['msg'].lower()}")
    if not field:
        return ParamError("", detail["msg"])
    return ParamError(field, f"{field} is {_shown(value)}, but {_expectation(detail)}")


def unknown_name(kind: str, name: str, known: Iterable[str], within: Iterable[str] = ()) -> str:
    """A sentence for a `kind` of thing called `name` that there is none of, with the nearest known name.

    `within` are the names of the things that it would stand in, outermost first.
    """
    names = sorted(known)
    prefix = "".join(f"{outer}." for outer in within)
    near = get_close_matches(name, names, n=1)
    there_are = ", ".join(prefix + one for one in names) or "none"
    hint = f"did you mean {prefix + near[0]!r}?" if near else f"there are: {there_are}"
    return f"there is no {kind} {_shown(prefix + name)}; {hint}"


def _expectation(detail: Mapping[str, Any]) -> str:
    template = EXPECTED.get(detail["type"])
    if template is not None:
        limits = {key: _plain(limit) for key, limit in (detail.get("ctx") or {}).items()}
        return "must be " + template.format(**limits)
    message = str(detail["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _plain(limit: Any) -> Any:
    return f"{limit:g}" if isinstance(limit, float) else limit


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = f"of type {type(value).__name__}"
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
