"""Routes that refuse unknown fields, unknown query parameters and odd JSON, with messages that say what is right."""

import codecs
import gc
import inspect
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from traindeck.errors import FieldError, InvalidRequest
from traindeck.launches.requests import ScriptBody
from traindeck.runs.view import Resources
from traindeck.trainers.parameters import param_errors
from traindeck.wording import MOST_ERRORS, unknown_names

OTHER_ENCODINGS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
PLACES = frozenset({"body", "query", "path", "header", "cookie"})
JSON_VALUE = "traindeck.json"
"""The key of a scope for the value of a body that was read already."""


def field_errors(errors: Sequence[Any], body: type[BaseModel]) -> list[FieldError]:
    """Return one error for each of the first fields that pydantic found wrong.

    `body` is the model of the request. Only the first unknown field gets a suggestion.
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
    """Return the known names at a place of a body; () is its top."""
    models: dict[str, type[BaseModel]] = {"resources": Resources, "script": ScriptBody}
    return list((models.get(location[0], body) if location else body).model_fields)


def strict_json(content: bytes) -> Any:
    """Return the value of JSON text.

    Raises:
        json.JSONDecodeError: it is not JSON, or its value could not be written as JSON: NaN, a number of thousands of
            digits, half a surrogate pair, thousands of levels.
    """
    collecting = gc.isenabled()
    # With megabytes of small lists, the collector would examine them again and again, and block all requests.
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
    """Parse what the faster parser refuses: other encodings, a byte order mark, hundreds of levels."""
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


class StrictRequest(Request):
    """A request whose JSON is read by `strict_json`."""

    async def json(self) -> Any:
        """Return the value of the body; raises json.JSONDecodeError."""
        if JSON_VALUE in self.scope:
            return self.scope[JSON_VALUE]
        return strict_json(await self.body())


class StrictRoute(APIRoute):
    """A route that reads JSON strictly, and refuses undeclared query parameters."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Initialize as FastAPI does, with the first line of the docstring as the default summary."""
        summary = (inspect.getdoc(endpoint) or "").partition("\n")[0].rstrip(".")
        super().__init__(path, endpoint, **{**options, "summary": options.get("summary") or summary})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler behind the stricter request."""
        handle = super().get_route_handler()
        known = _query_names(self.dependant)

        async def strict(request: Request) -> Response:
            unknown = [name for name in request.query_params if name not in known]
            if unknown:
                raise InvalidRequest(list(map(FieldError, unknown, unknown_names("query parameter", unknown, known))))
            return await handle(StrictRequest(request.scope, request.receive))

        return strict


def _query_names(dependant: Dependant) -> set[str]:
    names = {parameter.alias for parameter in dependant.query_params}
    return names.union(*(_query_names(one) for one in dependant.dependencies))
