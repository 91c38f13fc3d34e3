"""Reads JSON bodies strictly: what could not be written down again is refused before anything sees it."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from traindeck.api.validation import strict_json


class StrictRequest(Request):
    """A request whose JSON is read by `strict_json`."""

    async def json(self) -> Any:
        """The body's value; raises json.JSONDecodeError."""
        return strict_json(await self.body())


class StrictRoute(APIRoute):
    """A route that hands its handler a `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind the stricter request."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strict
