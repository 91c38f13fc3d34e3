"""A route that takes nothing which it does not know, and is described by its handler's docstring."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from traindeck.api.validation import strict_json
from traindeck.errors import FieldError, InvalidRequest
from traindeck.unknown import unknown_names

JSON_VALUE = "traindeck.json"
"""Where a scope has the value of a body that was read already."""


class StrictRequest(Request):
    """A request whose JSON is read by `strict_json`."""

    async def json(self) -> Any:
        """The body's value; raises json.JSONDecodeError."""
        if JSON_VALUE in self.scope:
            return self.scope[JSON_VALUE]
        return strict_json(await self.body())


class StrictRoute(APIRoute):
    """A route that reads JSON strictly, and refuses query parameters that it has not declared."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As FastAPI's, with the first line of the docstring for a summary where none is given."""
        summary = (inspect.getdoc(endpoint) or "").partition("\n")[0].rstrip(".")
        super().__init__(path, endpoint, **{**options, "summary": options.get("summary") or summary})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind the stricter request."""
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
