"""`/uploads`: files to launch, sent as multipart/form-data (RFC 7578); and launches that send their files along.

Parts are written to the disk as they arrive, within bounds.
"""

import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import anyio
from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from traindeck.api.deck import Deck, DeckDep, deck_of
from traindeck.api.lanes import Lane
from traindeck.api.problems import responses
from traindeck.api.strict import JSON_VALUE, StrictRoute, strict_json
from traindeck.errors import FieldError, InvalidRequest
from traindeck.sources.uploadstore import Part, Upload

MULTIPART = "multipart/form-data"
MAX_FILES = 5000
MAX_RUN_BYTES = 2_000_000
MAX_HEADERS = 8
MAX_HEADER_BYTES = 4096
WRITE_SECONDS = 600.0
"""How long received data waits to be written. Meanwhile nothing is read from the client."""
BUFFER_BYTES = 1_000_000
"""This much is buffered before a thread writes it: a switch of threads for each packet would take longer."""
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
                        "run": {"type": "string", "description": "The run as JSON"},
                        "file": FILES,
                    },
                    "required": ["file"],
                }
            }
        }
    }
}


@dataclass(slots=True)
class Received:
    """The parts of a request: its files, and the content of the part `run`, if there is one."""

    files: list[Part] = field(default_factory=list)
    run: bytearray | None = None


def is_multipart(request: Request) -> bool:
    """Return whether the request has parts."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == MULTIPART


async def receive_parts(request: Request, folder: Path, limit_bytes: int, lane: Lane, *, with_run: bool) -> Received:
    """Return the parts of a request. Files are written into `folder` under generated names.

    Raises:
        HTTPException: 413, it has more than `limit_bytes`; 415, it is not multipart/form-data.
        InvalidRequest: it is invalid, or has parts other than `file` (and `run`).
        OSError: the disk is full.
    """
    writer = _Writer(folder, with_run)
    parser = _parser(request, writer)
    try:
        async for buffer in _buffers(request.stream(), limit_bytes):
            await lane.run(parser.write, buffer, wait_seconds=WRITE_SECONDS)
    except FormParserError as error:
        raise _refused("body", f"the body cannot be read as {MULTIPART}: {error}") from error
    finally:
        writer.close()
    if not writer.ended:
        raise _refused("body", f"the body ends in the middle of a part: send it as {MULTIPART}")
    if not writer.received.files:
        raise _refused("file", "there is no part called file: send at least one")
    return writer.received


def _parser(request: Request, writer: "_Writer") -> MultipartParser:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind.lower() != MULTIPART.encode() or not boundary:
        raise HTTPException(415, f"Send files as {MULTIPART}, each in a part called file.")
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": writer.on_part_begin,
                "on_header_field": writer.on_header_field,
                "on_header_value": writer.on_header_value,
                "on_header_end": writer.on_header_end,
                "on_headers_finished": writer.on_headers_finished,
                "on_part_data": writer.on_part_data,
                "on_part_end": writer.on_part_end,
                "on_end": writer.on_end,
            },
            max_header_count=MAX_HEADERS,
            max_header_size=MAX_HEADER_BYTES,
        )
    except FormParserError as error:
        raise _refused("body", f"the body cannot be read as {MULTIPART}: {error}") from error


async def _buffers(stream: AsyncIterator[bytes], limit_bytes: int) -> AsyncIterator[bytes]:
    buffer, received = bytearray(), 0
    async for chunk in stream:
        received += len(chunk)
        if received > limit_bytes:
            raise HTTPException(
                413, f"At most {limit_bytes} bytes are taken: leave out data, or raise upload_limit_mb."
            )
        buffer += chunk
        if len(buffer) >= BUFFER_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


def _refused(name: str, message: str) -> InvalidRequest:
    return InvalidRequest([FieldError(name, message)])


class _Writer:
    """Writes what the parser finds to the disk."""

    def __init__(self, folder: Path, with_run: bool) -> None:
        self.folder = folder
        self.known = ("file", "run") if with_run else ("file",)
        self.received = Received()
        self.ended = False
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._file: BinaryIO | None = None

    def close(self) -> None:
        """Close the file that is being written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def on_part_begin(self) -> None:
        """Begin a part."""
        self._disposition = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Add to the name of a header."""
        self._header[0].extend(data[start:end])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Add to the value of a header."""
        self._header[1].extend(data[start:end])

    def on_header_end(self) -> None:
        """Keep a header that tells the name of the part."""
        if self._header[0].lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def on_headers_finished(self) -> None:
        """Begin the content of the part."""
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        if name not in self.known:
            parts = " and ".join(self.known)
            raise _refused("body", f"there is a part called {name[:100]!r}: the parts are called {parts}")
        if name == "run":
            self._begin_run()
        else:
            self._begin_file(options.get(b"filename", b""))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Write to the part."""
        if self._file is not None:
            self._file.write(memoryview(data)[start:end])
        elif self.received.run is not None:
            self.received.run.extend(data[start:end])
            if len(self.received.run) > MAX_RUN_BYTES:
                raise HTTPException(413, f"The part run has more than {MAX_RUN_BYTES} bytes.")

    def on_part_end(self) -> None:
        """End the part."""
        self.close()

    def on_end(self) -> None:
        """Note that the last part has ended."""
        self.ended = True

    def _begin_run(self) -> None:
        if self.received.run is not None:
            raise _refused("run", "there are two parts called run: send one")
        self.received.run = bytearray()

    def _begin_file(self, filename: bytes) -> None:
        files = self.received.files
        if len(files) >= MAX_FILES:
            raise _refused("file", f"there are more than {MAX_FILES} files: leave out data")
        if not filename:
            raise _refused("file", "a part called file has no filename: say what the file is called")
        path = self.folder / f"part-{len(files)}"
        self._file = path.open("xb")
        files.append(Part(filename.decode(errors="replace"), path))


class UploadedFile(BaseModel):
    """One file of an upload."""

    path: str = Field(examples=["train.py"])
    size: int = Field(description="Bytes")


class UploadView(BaseModel):
    """An upload, to which `script.upload` of a run refers."""

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

    A folder that contains all files is left out of their names. Files that no run uses are removed after a day.
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
    """A route that accepts a run as JSON, or as parts: `run` with this JSON, and `file` with what it starts."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the strict handler, which gets JSON in either case."""
        handle = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handle

        async def launch(request: Request) -> Response:
            if is_multipart(request):
                request = _json_request(request, await _launch_body(request))
            return await handle(request)

        return launch


async def _launch_body(request: Request) -> dict[str, Any]:
    """Return the run that a request with parts asks for, with the upload that its files have become."""
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
        # Without a length, the request may have as much as is allowed.
        length = request.headers.get("content-length", "")
        uploads.blobs.reserve.require(int(length) if length.isdecimal() and len(length) < 20 else limit_bytes)
        received = await receive_parts(request, incoming, limit_bytes, lane, with_run=with_run)
        return received, await lane.run(uploads.keep, received.files, incoming, wait_seconds=WRITE_SECONDS)
    finally:
        with anyio.CancelScope(shield=True):
            await lane.run(partial(shutil.rmtree, ignore_errors=True), incoming, wait_seconds=WRITE_SECONDS)


def _json_request(request: Request, body: dict[str, Any]) -> Request:
    """Return the same request with this JSON as its body."""
    replaced = (b"content-type", b"content-length", b"transfer-encoding")
    headers = [(name, value) for name, value in request.scope["headers"] if name not in replaced]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"2")]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    return Request({**request.scope, "headers": headers, JSON_VALUE: body}, receive)
