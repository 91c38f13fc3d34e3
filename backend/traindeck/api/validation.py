"""What was wrong with a request's fields, in words that say what would be right."""

import codecs
import gc
import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from traindeck.errors import FieldError
from traindeck.launches.requests import ScriptBody
from traindeck.runs.view import Resources
from traindeck.trainers.parameters import param_errors
from traindeck.unknown import MOST_ERRORS, unknown_names

OTHER_ENCODINGS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
PLACES = frozenset({"body", "query", "path", "header", "cookie"})


def field_errors(errors: Sequence[Any], body: type[BaseModel]) -> list[FieldError]:
    """Return one error for each of the first fields that pydantic found wrong.

    `body` is what the request should have carried. Only the first unknown field gets a suggestion.
    """
    few = list(errors[:MOST_ERRORS])
    first = next((error for error in few if error["type"] == "extra_forbidden"), None)
    return [_field_error(error, body, suggest=error is first) for error in few]


def _field_error(error: dict[str, Any], body: type[BaseModel], *, suggest: bool) -> FieldError:
    location = [str(part) for part in error["loc"][1 if error["loc"][:1] and error["loc"][0] in PLACES else 0 :]]
    if error["type"] == "json_invalid":
        return FieldError("body", f"the body is not JSON that can be read: {error['ctx']['error']}")
    if error["type"] == "extra_forbidden":
        (message,) = unknown_names("field", [location[-1]], known_fields(body, location[:-1]), suggest=suggest)
        return FieldError(".".join(location), message)
    if not location:
        return FieldError("body", "the body " + _lowered(error["msg"].removeprefix("Value error, ")))
    (described,) = param_errors([{**error, "loc": location}], ())
    return FieldError(described.field, described.message)


def _lowered(text: str) -> str:
    return f"is refused: {text[:1].lower()}{text[1:]}"


def known_fields(body: type[BaseModel], location: Sequence[str]) -> list[str]:
    """Return the names that may stand at a place of a body; () is its top."""
    models: dict[str, type[BaseModel]] = {"resources": Resources, "script": ScriptBody}
    return list((models.get(location[0], body) if location else body).model_fields)


def strict_json(content: bytes) -> Any:
    """Return the value that JSON text stands for.

    Raises:
        json.JSONDecodeError: it is no JSON, or such that what it says could not be written down again: NaN,
            a number of thousands of digits, half a surrogate pair, thousands of levels.
    """
    collecting = gc.isenabled()
    # Megabytes of small lists would have the collector look through them again and again, while everybody waits.
    gc.disable()
    try:
        value = from_json(content, allow_inf_nan=False, cache_strings=False)
        if b"Infinity" not in to_json(value, inf_nan_mode="constants"):
            return value
    except ValueError as error:
        if not (content.startswith(OTHER_ENCODINGS) or b"\0" in content[:4] or "recursion limit" in str(error)):
            raise json.JSONDecodeError(str(error), "", 0) from error
    finally:
        if collecting:
            gc.enable()
    return _patient_json(content)


def _patient_json(content: bytes) -> Any:
    """Return what the faster parser does not read: other encodings, a byte order mark, hundreds of levels."""
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
