"""Receives multipart/form-data (RFC 7578) onto the disk while it comes, with a bound on everything."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import Request

from traindeck.api.lanes import Lane
from traindeck.errors import FieldError, InvalidRequest
from traindeck.sources.uploads import Part

MULTIPART = "multipart/form-data"
MAX_FILES = 5000
MAX_RUN_BYTES = 2_000_000
MAX_HEADERS = 8
MAX_HEADER_BYTES = 4096
WRITE_SECONDS = 600.0
"""How long what came waits to be written; the client is not read from meanwhile."""
BUFFER_BYTES = 1_000_000
"""So much is gathered before a thread writes it: a hop for each packet would take longer than the writing."""


@dataclass(slots=True)
class Received:
    """The parts of a request: its files, and what the part `run` has, if there is one."""

    files: list[Part] = field(default_factory=list)
    run: bytearray | None = None


def is_multipart(request: Request) -> bool:
    """True where the request says that it carries parts."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == MULTIPART


async def receive_parts(request: Request, folder: Path, limit_bytes: int, lane: Lane, *, with_run: bool) -> Received:
    """The parts of a request, the files of which are written into `folder` under names of our own.

    Raises:
        HTTPException: 413, it has more than `limit_bytes`; 415, it is no multipart/form-data.
        InvalidRequest: it is none that can be read, or has other parts than `file` (and `run`).
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
    """Takes what the parser finds, and writes it down."""

    def __init__(self, folder: Path, with_run: bool) -> None:
        self.folder = folder
        self.known = ("file", "run") if with_run else ("file",)
        self.received = Received()
        self.ended = False
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._file: BinaryIO | None = None

    def close(self) -> None:
        """Let go of the file that was being written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def on_part_begin(self) -> None:
        """A new part; nothing is known of it."""
        self._disposition = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's name."""
        self._header[0].extend(data[start:end])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's value."""
        self._header[1].extend(data[start:end])

    def on_header_end(self) -> None:
        """The header is whole."""
        if self._header[0].lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def on_headers_finished(self) -> None:
        """What the part is, is known."""
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
        """A piece of the part."""
        if self._file is not None:
            self._file.write(memoryview(data)[start:end])
        elif self.received.run is not None:
            self.received.run.extend(data[start:end])
            if len(self.received.run) > MAX_RUN_BYTES:
                raise HTTPException(413, f"The part run has more than {MAX_RUN_BYTES} bytes.")

    def on_part_end(self) -> None:
        """The part is whole."""
        self.close()

    def on_end(self) -> None:
        """That was the last part."""
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
