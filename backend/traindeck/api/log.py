"""`/runs/N/log`: what the run printed, byte for byte."""

import io
import os
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from traindeck.api.attempt import AttemptNumber, attempt_files
from traindeck.api.content import part_of, whole_or_range
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute

router = APIRouter(tags=["runs"], route_class=StrictRoute)

MEDIA_TYPE = "text/plain; charset=utf-8"
BYTES = {"text/plain": {"schema": {"type": "string", "format": "binary"}}}
SIZE_HEADER = "Traindeck-Log-Size"
NEXT_HEADER = "Traindeck-Next-Offset"


@router.get(
    "/runs/{run_id}/log",
    operation_id="getLog",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": BYTES,
            "description": f"Bytes; {SIZE_HEADER} has the log's size, {NEXT_HEADER} where to go on",
        },
        206: {"content": BYTES, "description": "The range that was asked for"},
        **responses(404, 416, 422),
    },
)
def get_log(
    request: Request,
    run_id: RunId,
    deck: DeckDep,
    offset: Annotated[int | None, Query(ge=0, le=2**62, description="The first byte")] = None,
    limit: Annotated[int | None, Query(ge=0, le=2**62, description="At most so many bytes")] = None,
    attempt: AttemptNumber = None,
) -> StreamingResponse:
    """Read the log: all of it, `limit` bytes from `offset` on, or a `Range`."""
    file = _open_log(deck, run_id, attempt)
    size = os.fstat(file.fileno()).st_size if not isinstance(file, io.BytesIO) else 0
    if isinstance(file, io.BytesIO) or offset is not None or limit is not None:
        start = min(offset or 0, size)
        length = min(size - start, limit if limit is not None else size)
        headers = {SIZE_HEADER: str(size), NEXT_HEADER: str(start + length)}
        return part_of(file, start, length, status=200, media_type=MEDIA_TYPE, headers=headers)
    headers = {SIZE_HEADER: str(size), NEXT_HEADER: str(size)}
    return whole_or_range(request, file, media_type=MEDIA_TYPE, headers=headers)


def _open_log(deck: Deck, run_id: int, attempt: int | None) -> BinaryIO:
    try:
        return attempt_files(deck, run_id, attempt).log.open("rb")
    except FileNotFoundError:
        return io.BytesIO()
