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
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from traindeck.api.negotiation import wants_page
from traindeck.api.validation import field_errors
from traindeck.errors import DeckBusy, FieldError, InvalidRequest, RunConflict, RunNotFound
from traindeck.pages.error import render_error

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2


class FieldProblem(BaseModel):
    """One wrong field."""

    field: str = Field(examples=["params.lr"])
    message: str = Field(examples=["should be greater than 0, and is -1"])


class Problem(BaseModel):
    """Why a request was refused, and what to do."""

    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["params.lr: should be greater than 0, and is -1"])
    errors: list[FieldProblem] = Field([], description="The fields that are wrong, where the request has fields")
    reference: str | None = Field(None, description="The number under which the server's log has more")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of the refusals that a route may answer with."""
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
) -> Response:
    """The answer to a request that is refused, in the form that the client can read."""
    title = HTTPStatus(status).phrase
    if wants_page(request):
        return HTMLResponse(render_error(status, title, detail, reference), status, headers)
    body = Problem(
        title=title,
        status=status,
        detail=detail,
        errors=[FieldProblem(field=error.field, message=error.message) for error in errors],
        reference=reference,
    )
    return JSONResponse(body.model_dump(), status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have every error of `app` answered here."""
    app.add_exception_handler(RunNotFound, _not_found)
    app.add_exception_handler(RunConflict, _conflict)
    app.add_exception_handler(InvalidRequest, _invalid)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DeckBusy, _busy)
    app.add_exception_handler(OperationalError, _database)
    app.add_exception_handler(Exception, _unexpected)


async def _not_found(request: Request, error: Exception) -> Response:
    return problem(request, 404, str(error))


async def _conflict(request: Request, error: Exception) -> Response:
    return problem(request, 409, str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidRequest)
    return problem(request, 422, str(error), errors=error.errors)


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = field_errors(error.errors())
    detail = "; ".join(one.message for one in errors)
    return problem(request, 422, detail, errors=errors)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "There is nothing at this address. The runs are at /runs."
    return problem(request, error.status_code, detail, headers=dict(error.headers or {}))


async def _busy(request: Request, error: Exception) -> Response:
    return problem(request, 503, str(error), headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _database(request: Request, error: Exception) -> Response:
    assert isinstance(error, OperationalError)
    cause = str(error.orig)
    logger.error("%s %s: database: %s", request.method, request.url.path, cause)
    if "full" in cause:
        return problem(request, 507, "The disk of the deck is full. Nothing was changed; free some space and repeat.")
    detail = "The database is in use by somebody outside the deck, or out of reach. Nothing was changed; try again."
    return problem(request, 503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _unexpected(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4)
    logger.error("reference=%s %s %s failed", reference, request.method, request.url.path, exc_info=error)
    detail = f"Something went wrong in the deck. Its log has the details under reference {reference}."
    return problem(request, 500, detail, reference=reference)
