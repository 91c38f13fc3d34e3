"""`/runs/N/log`: what the run printed, byte for byte; and `/runs/N/log/search`."""

import io
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any, BinaryIO

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from traindeck.api.attempt import AttemptNumber, attempt_files
from traindeck.api.content import part_of, whole_or_range
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.errors import DeckBusy
from traindeck.runner.outside import open_file
from traindeck.runs.logsearch import LogSearch, Needle

router = APIRouter(tags=["runs"], route_class=StrictRoute)

MEDIA_TYPE = "text/plain; charset=utf-8"
BYTES = {"text/plain": {"schema": {"type": "string", "format": "binary"}}}
SIZE_HEADER = "Traindeck-Log-Size"
NEXT_HEADER = "Traindeck-Next-Offset"

RECORDS = {"application/x-ndjson": {"schema": {"type": "string"}}}
NO_CONTROL = r"^[^\x00-\x08\x0a-\x1f\x7f]+$"
MAX_SEARCHES = 8
SEARCH_SECONDS = 20.0
SAY_SECONDS = 0.25
TURN_SECONDS = 0.05


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


@router.get(
    "/runs/{run_id}/log/search",
    operation_id="searchLog",
    response_class=StreamingResponse,
    responses={200: {"content": RECORDS, "description": "A line of JSON for each match, and how far the search is"},
               **responses(404, 422)},
)  # fmt: skip
async def search_log(
    run_id: RunId,
    deck: DeckDep,
    q: Annotated[str, Query(min_length=1, max_length=1000, pattern=NO_CONTROL, description="Text, in any case")],
    offset: Annotated[int, Query(ge=0, le=2**62, description="Matches begin at this byte or after it")] = 0,
    until: Annotated[
        int | None, Query(ge=0, le=2**62, description="And before this one; to the end if left out")
    ] = None,
    backwards: Annotated[bool, Query(description="The last match first")] = False,
    limit: Annotated[int, Query(ge=1, le=1000, description="At most so many matches")] = 100,
    attempt: AttemptNumber = None,
) -> StreamingResponse:
    """Search the log for text as it is shown: without colors, and of each bar the last state."""
    if deck.searches.under_way >= MAX_SEARCHES:
        raise DeckBusy(f"{MAX_SEARCHES} searches are under way. Try again when one of them has ended.")
    log = await run_in_threadpool(_open_log, deck, run_id, attempt)
    search = LogSearch(log, Needle(q), offset, until, backwards, limit)
    return StreamingResponse(_found(deck, search), 200, {"Cache-Control": "no-store"}, "application/x-ndjson")


async def _found(deck: Deck, search: LogSearch) -> AsyncIterator[bytes]:
    """Search until the end, the limit or the deadline; a client that goes away ends it within a turn."""
    began = said = time.monotonic()
    deck.searches.under_way += 1
    try:
        while search.next is not None and search.limit and not deck.closing.begun:
            for match in await anyio.to_thread.run_sync(search.go_on, TURN_SECONDS, limiter=deck.searches.turn):
                yield _record(asdict(match))
            now = time.monotonic()
            if now - began > SEARCH_SECONDS:
                break
            if now - said > SAY_SECONDS:
                said = now
                yield _record({"searched": search.searched})
        yield _record({"searched": search.searched, "next": search.next, "size": search.size})
    finally:
        deck.searches.under_way -= 1
        search.close()


def _record(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _open_log(deck: Deck, run_id: int, attempt: int | None) -> BinaryIO:
    """The log; an empty one where the run has put something in its place that is no file."""
    return open_file(attempt_files(deck, run_id, attempt).log) or io.BytesIO()
