"""What was wrong with a request's fields, in words that say what would be right."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from traindeck.api.bodies import known_fields
from traindeck.errors import FieldError
from traindeck.trainers.parameters import param_errors, unknown_name

PLACES = frozenset({"body", "query", "path", "header", "cookie"})


def field_errors(errors: Sequence[Any], body: type[BaseModel]) -> list[FieldError]:
    """One error for each field that pydantic found wrong; `body` is what the request should have carried."""
    return [_field_error(error, body) for error in errors]


def _field_error(error: dict[str, Any], body: type[BaseModel]) -> FieldError:
    location = [str(part) for part in error["loc"][1 if error["loc"][:1] and error["loc"][0] in PLACES else 0 :]]
    if error["type"] == "json_invalid":
        return FieldError("body", f"the body is not JSON that can be read: {error['ctx']['error']}")
    if error["type"] == "extra_forbidden":
        return FieldError(".".join(location), unknown_name("field", location[-1], known_fields(body, location[:-1])))
    if not location:
        return FieldError("body", "the body " + _lowered(error["msg"].removeprefix("Value error, ")))
    (described,) = param_errors([{**error, "loc": location}], ())
    return FieldError(described.field, described.message)


def _lowered(text: str) -> str:
    return f"is refused: {text[:1].lower()}{text[1:]}"


def strict_json(content: bytes) -> Any:
    """The value that JSON text stands for.

    Raises:
        json.JSONDecodeError: it is no JSON, or such that what it says could not be written down again: NaN,
            a number of thousands of digits, half a surrogate pair, thousands of levels.
    """
    try:
        value = json.loads(content, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error) or "nested too deeply", "", 0) from error
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")
