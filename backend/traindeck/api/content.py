"""Answers with a file or a part of it, at its size when the answer starts: it may grow while it is read."""

import gzip
import os
import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException

from traindeck.wording import counted

CHUNK_BYTES = 262_144
PACKED_BYTES = 20_000
WEIGHT_ZERO = re.compile(r"\s*q=0(\.0*)?\s*")
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class AnyPath(PathConvertor):
    """Any path in an address. Starlette's own converter ends at a line break, which a file name may contain."""

    regex = r"[\s\S]*"


register_url_convertor("any_path", AnyPath())


def part_of(
    file: BinaryIO, start: int, length: int, *, status: int, media_type: str, headers: dict[str, str]
) -> StreamingResponse:
    """Return an answer with `length` bytes of an open file from `start`; the file is closed at the end."""
    headers = {
        "Content-Length": str(length),
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        **headers,
    }
    return StreamingResponse(_chunks(file, start, length), status, headers, media_type)


def whole_or_range(request: Request, file: BinaryIO, *, media_type: str, headers: dict[str, str]) -> StreamingResponse:
    """Return an answer with the present file, or with the requested range of it (RFC 9110, 14.2).

    Raises:
        HTTPException: 416, no byte of the file is in the range.
    """
    size = os.fstat(file.fileno()).st_size
    asked = request.headers.get("range")
    if asked is None or not asked.startswith("bytes="):
        return part_of(file, 0, size, status=200, media_type=media_type, headers=headers)
    span = _span(asked, size)
    if span is None:
        file.close()
        there = f"The file has {counted(size, 'byte')}, none in the range {asked[:100]!r}"
        detail = f"{there}: ask for others, as in bytes=0-99."
        raise HTTPException(416, detail, {"Content-Range": f"bytes */{size}"})
    start, end = span
    headers = {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"}
    return part_of(file, start, end - start, status=206, media_type=media_type, headers=headers)


def packed(request: Request, content: bytes, media_type: str) -> Response:
    """Return content as an answer, compressed if it is long and the client accepts that."""
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "no-store"}
    if len(content) >= PACKED_BYTES and takes_gzip(request.headers.get("accept-encoding", "")):
        # The fastest level: a higher one saves a tenth, but takes five times as long.
        content, headers = gzip.compress(content, 1), {**headers, "Content-Encoding": "gzip"}
    return Response(content, headers=headers, media_type=media_type)


def takes_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding allows gzip, by name or by *, with a weight above 0 (RFC 9110, 12.5.3)."""
    takes = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        takes[name.strip()] = WEIGHT_ZERO.fullmatch(weight) is None
    return takes.get("gzip", takes.get("*", False))


def attachment(filename: str) -> str:
    """Return the Content-Disposition that saves a file under any name (RFC 6266, RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", filename)[:100]
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"


def _span(asked: str, size: int) -> tuple[int, int] | None:
    match = RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None


def _chunks(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(length, CHUNK_BYTES))):
            length -= len(chunk)
            yield chunk
