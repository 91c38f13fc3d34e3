"""Errors as answers: `application/problem+json` (RFC 9457), or a page where a browser asked for one."""

import logging
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException
from starlette.routing import Match

from traindeck.api.strict import field_errors
from traindeck.api.visitor import wants_page
from traindeck.errors import (
    NO_ROOM,
    DeckBusy,
    FieldError,
    InvalidRequest,
    LedFromElsewhere,
    NoRoom,
    NotFound,
    RunConflict,
)
from traindeck.launches.requests import LaunchBody
from traindeck.pages.error_page import WayOn, render_error
from traindeck.wording import MOST_ERRORS

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
FIELD_CHARACTERS = 200
MESSAGE_CHARACTERS = 2000
"""Longer ones are cut: they repeat what the client sent, or what a script declares."""
RETRY_AFTER_SECONDS = 2
DISK_FULL = "The disk of the deck is full. Nothing was changed. Free some space, and repeat the request."


class FieldProblem(BaseModel):
    """One wrong field."""

    field: str = Field(examples=["params.lr"])
    message: str = Field(examples=["should be greater than 0, and is -1"])


class Problem(BaseModel):
    """The reason for a refusal, and what to do."""

    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["params.lr: should be greater than 0, and is -1"])
    errors: list[FieldProblem] = Field([], description=f"The fields that are wrong, the first {MOST_ERRORS} of them")
    reference: str | None = Field(None, description="The number under which the server's log has more")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of the refusals of a route."""
    always = (400, 403, 500, 503)
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in (*always, *statuses)
    }


def problem(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    reference: str | None = None,
    headers: dict[str, str] | None = None,
    way_on: WayOn | None = None,
) -> Response:
    """Return the answer to a refused request: a page with the link `way_on` for a browser, and JSON otherwise."""
    title = HTTPStatus(status).phrase
    detail = _cut(detail, MESSAGE_CHARACTERS)
    if wants_page(request):
        position = next((one.position for one in errors if one.position), None)
        page = render_error(status, title, detail, reference, asked=_asked(request), way_on=way_on, position=position)
        return HTMLResponse(page, status, headers)
    body = Problem(
        title=title,
        status=status,
        detail=detail,
        errors=field_problems(errors),
        reference=reference,
    )
    return JSONResponse(body.model_dump(), status, headers, media_type=MEDIA_TYPE)


def _asked(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}"


def field_problems(errors: Sequence[FieldError]) -> list[FieldProblem]:
    """Return the first errors, each with a bounded size."""
    return [
        FieldProblem(field=_cut(one.field, FIELD_CHARACTERS), message=_cut(one.message, MESSAGE_CHARACTERS))
        for one in errors[:MOST_ERRORS]
    ]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def install(app: FastAPI) -> None:
    """Answer every error of `app` here, and document the answers."""
    _document(app)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(RunConflict, _conflict)
    app.add_exception_handler(InvalidRequest, _invalid)
    app.add_exception_handler(LedFromElsewhere, _led_from_elsewhere)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DeckBusy, _busy)
    app.add_exception_handler(OperationalError, _database)
    app.add_exception_handler(NoConnection, _busy_reading)
    app.add_exception_handler(OSError, _disk)


def _document(app: FastAPI) -> None:
    """Add `Problem` to the schemas of the OpenAPI document: no handler returns one, so FastAPI does not."""
    generate = app.openapi

    def complete() -> dict[str, Any]:
        document = generate()
        _, schema = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
        document.setdefault("components", {}).setdefault("schemas", {}).update(schema["$defs"])
        return document

    app.openapi = complete  # type: ignore[method-assign]


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotFound)
    return problem(request, 404, error.message if wants_page(request) else str(error))


async def _conflict(request: Request, error: Exception) -> Response:
    return problem(request, 409, str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidRequest)
    return problem(request, 422, str(error), errors=error.errors)


async def _led_from_elsewhere(request: Request, error: Exception) -> Response:
    assert isinstance(error, LedFromElsewhere)
    return problem(request, 403, str(error), way_on=WayOn(error.label, error.address))


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    field = getattr(request.scope.get("route"), "body_field", None)
    errors = field_errors(error.errors(), field.field_info.annotation if field else LaunchBody)
    detail = "; ".join(one.message for one in errors)
    return problem(request, 422, detail, errors=errors)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "This address does not exist. The runs are at /runs."
    if error.status_code == 405:
        allowed = ", ".join(_methods_at(request))
        detail = f"{request.method} is not allowed at this address: use {allowed}."
        return problem(request, 405, detail, headers={"Allow": allowed})
    return problem(request, error.status_code, detail, headers=dict(error.headers or {}))


def _methods_at(request: Request) -> list[str]:
    """Return all methods of the address of a request; the error itself names those of one route."""
    found = []
    for method in ("GET", "HEAD", "POST", "PATCH", "DELETE"):
        scope = {**request.scope, "method": "GET" if method == "HEAD" else method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            found.append(method)
    return found


async def _busy(request: Request, error: Exception) -> Response:
    return problem(request, 503, str(error), headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _busy_reading(request: Request, _error: Exception) -> Response:
    logger.error("%s %s: no connection to the database came free", request.method, request.url.path)
    return await _busy(request, DeckBusy("The deck has too many requests that read the database. Try again shortly."))


async def _disk(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    if error.errno in NO_ROOM:
        return problem(request, 507, str(error.strerror) if isinstance(error, NoRoom) else DISK_FULL)
    reference = _log(request, error)
    detail = (
        f"The home of the deck cannot be read ({error.strerror}). The log of the server has details under {reference}."
    )
    return problem(request, 503, detail, reference=reference, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _database(request: Request, error: Exception) -> Response:
    assert isinstance(error, OperationalError)
    cause = str(error.orig)
    logger.error("%s %s: database: %s", request.method, request.url.path, cause)
    if getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_FULL"):
        return problem(request, 507, DISK_FULL)
    detail = "Another program uses the database, or it cannot be read. Nothing was changed. Try again."
    return problem(request, 503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def unexpected(request: Request, error: Exception) -> Response:
    """Return the answer after a handler failed: a reference to the log, and no details of the failure."""
    reference = _log(request, error)
    detail = f"The deck has failed to answer. The log of the server has details under reference {reference}."
    return problem(request, 500, detail, reference=reference)


def _log(request: Request, error: Exception) -> str:
    reference = secrets.token_hex(4)
    logger.error("reference=%s %s %s failed", reference, request.method, request.url.path, exc_info=error)
    return reference
