"""Parameters of a run, checked against a trainer's model, and errors that say what would be right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, get_args

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from traindeck.wording import MOST_ERRORS, counted, few_unknown, shown, unknown_names

LISTED_ERRORS = 100
"""Of more errors than this pydantic makes no list."""

OF_A_WHOLE = frozenset({"missing", "too_short"})

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
    "string_too_short": "at least {min_length} long",
    "string_too_long": "at most {max_length} long",
}
"""What would have been right, by pydantic's type of the error; braces are filled from the error's `ctx`."""
LENGTHS = ("min_length", "max_length")


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
    """Return the model's instance for `params`, read by the rules of JSON; defaults stand in for what is missing.

    A parameter may go by its field's name or alias. An unknown one is refused unless the model says
    `extra="allow"`.

    Raises:
        InvalidParams: a parameter is unknown, missing, of a wrong type or out of bounds, or the model's own
            check failed in a way of its own.
    """
    extra: Literal["forbid"] | None = None if model.model_config.get("extra") == "allow" else "forbid"
    if extra is not None:
        params = few_unknown(params, names_at(model, ()))
    text = _as_json(params)
    try:
        return model.model_validate_json(text, extra=extra, by_name=True, by_alias=True)
    except ValidationError as error:
        raise InvalidParams(_refusals(model, params, error, extra)) from None
    except Exception as error:
        raise _unforeseen("check", error) from error


def _refusals(
    model: type[BaseModel], params: Mapping[str, Any], error: ValidationError, extra: Literal["forbid"] | None
) -> list[ParamError]:
    """Return the first of pydantic's errors in words; only the first unknown name gets a suggestion."""
    if error.error_count() > LISTED_ERRORS:
        # Listing them all takes seconds, in which no other thread gets the interpreter. The first ones are looked for
        # in a small part of each list and object; that a part lacks something says nothing.
        try:
            model.model_validate_json(_as_json(_first_of(params)), extra=extra, by_name=True, by_alias=True)
            details = []
        except ValidationError as fewer:
            details = [one for one in fewer.errors(include_url=False) if one["type"] not in OF_A_WHOLE]
        except Exception:
            details = []  # The trainer's own check, which is not made for a part.
    else:
        details = error.errors(include_url=False)
    if not details:
        count = error.error_count()
        outcome = "is refused" if count == 1 else "are refused"
        return [ParamError("", f"{counted(count, 'value')} inside the parameters {outcome}")]
    refused: list[ParamError] = []
    suggest = True
    for detail in details[:MOST_ERRORS]:
        is_unknown = detail["type"] == "extra_forbidden"
        known = names_at(model, detail["loc"][:-1]) if is_unknown and suggest else None
        refused.append(_param_error(detail, known))
        suggest = suggest and not is_unknown
    return refused


def _first_of(value: Any) -> Any:
    """Return the value with the first few members of each list and object."""
    if isinstance(value, Mapping):
        return {name: _first_of(one) for name, one in islice(value.items(), LISTED_ERRORS)}
    if isinstance(value, list):
        return [_first_of(one) for one in value[:LISTED_ERRORS]]
    return value


def complete_params(model: type[BaseModel], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters with their values, ready for JSON.

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
    """Return the refusal of parameters that JSON has no form for."""
    return InvalidParams([ParamError("", f"the parameters cannot be written as JSON: {error}")])


def _unforeseen(what: str, error: Exception) -> InvalidParams:
    return InvalidParams([ParamError("", f"the trainer's own {what} failed with {type(error).__name__}: {error}")])


def _as_json(params: Mapping[str, Any]) -> str:
    try:
        return json.dumps(params)
    except (TypeError, ValueError, RecursionError) as error:
        raise not_json(error) from None


def _param_error(detail: Mapping[str, Any], known: Iterable[str] | None) -> ParamError:
    """`known` are the names at the place of the error; None where an unknown one gets no suggestion."""
    *outer, name = [str(part) for part in detail["loc"]] or [""]
    field = ".".join([*outer, name])
    value, kind = detail.get("input"), detail["type"]
    if kind == "extra_forbidden":
        (message,) = unknown_names("parameter", [name], known or (), within=outer, suggest=known is not None)
        return ParamError(field, message)
    if kind == "missing":
        return ParamError(field, f"{field} is required: {detail['msg'].lower()}")
    if not field:
        return ParamError("", detail["msg"])
    return ParamError(field, f"{field} is {shown(value)}, but {_expectation(detail)}")


def _expectation(detail: Mapping[str, Any]) -> str:
    template = EXPECTED.get(detail["type"])
    if template is not None:
        context = detail.get("ctx") or {}
        limits = {key: _plain(limit) for key, limit in context.items()}
        limits |= {key: counted(context[key], "character") for key in LENGTHS if key in context}
        return "must be " + template.format(**limits)
    message = str(detail["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _plain(limit: Any) -> Any:
    return f"{limit:g}" if isinstance(limit, float) else limit


def names_at(model: type[BaseModel], path: Iterable[int | str]) -> set[str]:
    """Return the names and aliases that are known at `path`, the location of an object in pydantic's terms."""
    models = {model}
    for part in path:
        # A part that is no field is an index, a key, or the label of a union's member: the models stay.
        inner = {one for outer in models for one in _models_below(outer, part)}
        models = inner or models
    fields = [item for one in models for item in one.model_fields.items()]
    return {name for own, field in fields for name in (own, *_aliases(field))}


def _models_below(model: type[BaseModel], part: int | str) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if part in (name, *_aliases(field)):
            yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _aliases(field: FieldInfo) -> list[str]:
    alias = field.validation_alias or field.alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [choice for choice in choices if isinstance(choice, str)]
