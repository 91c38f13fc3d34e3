"""`/uploads`: files sent to the deck, to be launched; and the launch that brings its files along."""

import shutil
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio
from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field

from traindeck.api.deck import Deck, DeckDep, deck_of
from traindeck.api.parts import MULTIPART, WRITE_SECONDS, Received, is_multipart, receive_parts
from traindeck.api.problems import responses
from traindeck.api.strict import JSON_VALUE, StrictRoute
from traindeck.api.validation import strict_json
from traindeck.errors import FieldError, InvalidRequest
from traindeck.sources.uploads import Upload

router = APIRouter(tags=["runs"], route_class=StrictRoute)

FILES = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "description": "One file, one .zip, or the files of a folder, each with its relative path as its filename",
}
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {MULTIPART: {"schema": {"type": "object", "properties": {"file": FILES}, "required": ["file"]}}},
    }
}


LAUNCH_BODY = {
    "requestBody": {
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "run": {"type": "string", "description": "The run as JSON; its script says what to start"},
                        "file": FILES,
                    },
                    "required": ["file"],
                }
            }
        }
    }
}


class UploadedFile(BaseModel):
    """One file of an upload."""

    path: str = Field(examples=["train.py"])
    size: int = Field(description="Bytes")


class UploadView(BaseModel):
    """What was uploaded; a run's `script.upload` names it."""

    upload: str = Field(description="Its digest: equal for equal files")
    files: list[UploadedFile]
    entries: list[str] = Field(description="Python files that may be started, the likeliest first")
    bytes: int


@router.post(
    "/uploads",
    status_code=status.HTTP_201_CREATED,
    operation_id="upload",
    openapi_extra=UPLOAD_BODY,
    responses=responses(413, 415, 422, 507),
)
async def upload(request: Request, deck: DeckDep) -> UploadView:
    """Send files to launch: one script, one zip, or several files with relative names.

    A folder that all files lie in is left out of their names. What no run uses is removed after a day.
    """
    _, kept = await _receive(request, deck, with_run=False)
    tree = kept.tree
    return UploadView(
        upload=tree.digest,
        files=[UploadedFile(path=file.path, size=file.size) for file in tree.files],
        entries=kept.entries,
        bytes=tree.size,
    )


class LaunchRoute(StrictRoute):
    """A route that takes a run as JSON, or as parts: `run`, which is that JSON, and `file`, what it starts."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The strict handler, which sees JSON in either case."""
        handle = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handle

        async def launch(request: Request) -> Response:
            if is_multipart(request):
                request = _json_request(request, await _launch_body(request))
            return await handle(request)

        return launch


async def _launch_body(request: Request) -> dict[str, Any]:
    """The run that a request with parts asks for, with the upload that its files have become."""
    received, kept = await _receive(request, deck_of(request), with_run=True)
    body = _run_of(received)
    script = body.setdefault("script", {})
    if not isinstance(script, dict):
        raise InvalidRequest([FieldError("script", "script is an object, and the part file has its files")])
    given = [name for name in ("path", "source", "module", "command", "upload") if script.get(name) is not None]
    if given:
        message = f"script.{given[0]} does not go with the part file, which is what is launched: leave one out"
        raise InvalidRequest([FieldError(f"script.{given[0]}", message)])
    script["upload"] = kept.tree.digest
    return body


def _run_of(received: Received) -> dict[str, Any]:
    try:
        body = strict_json(bytes(received.run or b"{}"))
    except ValueError as error:
        raise InvalidRequest([FieldError("run", f"the part run is not JSON that can be read: {error}")]) from error
    if not isinstance(body, dict):
        raise InvalidRequest([FieldError("run", "the part run is a run as POST /runs takes it: an object")])
    return body


async def _receive(request: Request, deck: Deck, *, with_run: bool) -> tuple[Received, Upload]:
    uploads, lane = deck.code.uploads, deck.lanes.uploading
    incoming = await lane.run(uploads.incoming)
    try:
        limit_bytes = deck.settings.upload_limit_mb * 1_000_000
        # One of no length may take what is allowed.
        length = request.headers.get("content-length", "")
        uploads.blobs.reserve.require(int(length) if length.isdecimal() and len(length) < 20 else limit_bytes)
        received = await receive_parts(request, incoming, limit_bytes, lane, with_run=with_run)
        return received, await lane.run(uploads.keep, received.files, incoming, wait_seconds=WRITE_SECONDS)
    finally:
        with anyio.CancelScope(shield=True):
            await lane.run(partial(shutil.rmtree, ignore_errors=True), incoming, wait_seconds=WRITE_SECONDS)


def _json_request(request: Request, body: dict[str, Any]) -> Request:
    """The same request, as if it had carried this JSON."""
    replaced = (b"content-type", b"content-length", b"transfer-encoding")
    headers = [(name, value) for name, value in request.scope["headers"] if name not in replaced]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"2")]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    return Request({**request.scope, "headers": headers, JSON_VALUE: body}, receive)
