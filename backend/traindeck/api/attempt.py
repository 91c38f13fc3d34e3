"""`/runs/N/log`, `/log/search`, `/files`: what an attempt of a run printed and wrote, and which attempt is meant."""

import io
import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, BinaryIO

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from traindeck.api.content import attachment, part_of, whole_or_range
from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.db.tables import Run
from traindeck.errors import DeckBusy, FieldError, InvalidRequest, NotFound
from traindeck.runner.outside import open_file
from traindeck.runs.files import AttemptFiles
from traindeck.runs.logsearch import LogSearch, Needle
from traindeck.runs.queries import find_run
from traindeck.runs.status import Status
from traindeck.runs.written import list_written, open_written
from traindeck.wording import plural

router = APIRouter(tags=["runs"], route_class=StrictRoute)

AttemptNumber = Annotated[
    int | None, Query(alias="attempt", ge=1, le=2**31, description="The number of the attempt; default the current one")
]
LOG_TYPE, FILE_TYPE = "text/plain; charset=utf-8", "application/octet-stream"
BYTES = {"schema": {"type": "string", "format": "binary"}}
SIZE_HEADER = "Traindeck-Log-Size"
NEXT_HEADER = "Traindeck-Next-Offset"
RECORDS = {"application/x-ndjson": {"schema": {"type": "string"}}}
NO_CONTROL = r"^[^\x00-\x08\x0a-\x1f\x7f]+$"
MAX_SEARCHES = 8
SEARCH_SECONDS = 20.0
SAY_SECONDS = 0.25
TURN_SECONDS = 0.05
MAX_LISTED = 5000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_SECONDS = 250_000_000_000
"""The latest time that a date can have; a file may claim any year."""


def attempt_files(deck: Deck, run_id: int, asked: int | None) -> AttemptFiles:
    """Return the files of attempt `asked`, or of the current one for None. A run that has not started has no files.

    Raises:
        RunNotFound: there is no such run.
        InvalidRequest: the run has had no such attempt.
    """
    return ended_attempt_files(deck, run_id, asked)[0]


def ended_attempt_files(deck: Deck, run_id: int, asked: int | None) -> tuple[AttemptFiles, bool]:
    """Return the same as `attempt_files`, and whether the attempt has ended."""
    with deck.database.read() as session:
        run = find_run(session, run_id)
    number = attempt_number(run, asked)
    ended = number < run.attempt or not Status(run.status).holds_slots
    return deck.files.run(run_id).attempt(number), ended


def attempt_number(run: Run, asked: int | None) -> int:
    """Return the requested attempt: the current one for None, 0 if there has been none; raises InvalidRequest."""
    if asked is not None and asked > run.attempt:
        had = f"{run.attempt or 'no'} {plural(run.attempt, 'attempt')}"
        raise InvalidRequest([FieldError("attempt", f"attempt is {asked}, but run {run.id} has had {had}")])
    return asked or run.attempt


@router.get(
    "/runs/{run_id}/log",
    operation_id="getLog",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/plain": BYTES},
            "description": f"Bytes; {SIZE_HEADER} has the size of the log, {NEXT_HEADER} the offset to continue from",
        },
        206: {"content": {"text/plain": BYTES}, "description": "The requested range"},
        **responses(404, 416, 422),
    },
)
def get_log(
    request: Request,
    run_id: RunId,
    deck: DeckDep,
    offset: Annotated[int | None, Query(ge=0, le=2**62, description="The first byte")] = None,
    limit: Annotated[int | None, Query(ge=0, le=2**62, description="The most bytes to return")] = None,
    attempt: AttemptNumber = None,
) -> StreamingResponse:
    """Read the log: all of it, `limit` bytes from `offset`, or a `Range`."""
    file = _open_log(deck, run_id, attempt)
    size = os.fstat(file.fileno()).st_size if not isinstance(file, io.BytesIO) else 0
    if isinstance(file, io.BytesIO) or offset is not None or limit is not None:
        start = min(offset or 0, size)
        length = min(size - start, limit if limit is not None else size)
        headers = {SIZE_HEADER: str(size), NEXT_HEADER: str(start + length)}
        return part_of(file, start, length, status=200, media_type=LOG_TYPE, headers=headers)
    headers = {SIZE_HEADER: str(size), NEXT_HEADER: str(size)}
    return whole_or_range(request, file, media_type=LOG_TYPE, headers=headers)


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
        int | None, Query(ge=0, le=2**62, description="Matches begin before this byte; default the end")
    ] = None,
    backwards: Annotated[bool, Query(description="The last match first")] = False,
    limit: Annotated[int, Query(ge=1, le=1000, description="The most matches to return")] = 100,
    attempt: AttemptNumber = None,
) -> StreamingResponse:
    """Search the log for text as the page shows it: without colors, and with only the last state of each bar."""
    if deck.searches.under_way >= MAX_SEARCHES:
        raise DeckBusy(f"{MAX_SEARCHES} searches are under way. Try again when one of them has ended.")
    log = await run_in_threadpool(_open_log, deck, run_id, attempt)
    search = LogSearch(log, Needle(q), offset, until, backwards, limit)
    return StreamingResponse(_found(deck, search), 200, {"Cache-Control": "no-store"}, "application/x-ndjson")


async def _found(deck: Deck, search: LogSearch) -> AsyncIterator[bytes]:
    """Search until the end, the limit or the deadline, or until the client disconnects."""
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
    """Open the log; an empty one if the run has replaced it by something that is not a file."""
    return open_file(attempt_files(deck, run_id, attempt).log) or io.BytesIO()


class FileView(BaseModel):
    """One file, by its path below the run's working folder."""

    path: str = Field(examples=["checkpoints/last.pt"])
    size: int = Field(description="Bytes")
    modified_at: datetime
    checkpoint: bool


class Files(BaseModel):
    """The files that a run wrote: checkpoints first, then by path."""

    items: list[FileView]
    truncated: bool = Field(description=f"True if there are more than {MAX_LISTED}")


@router.get("/runs/{run_id}/files", operation_id="listFiles", responses=responses(404, 422))
@in_lane("files")
def list_files(run_id: RunId, deck: DeckDep, attempt: AttemptNumber = None) -> Files:
    """List what the run wrote in its working folder, without links, hidden files and shared data sets."""
    found, truncated = list_written(attempt_files(deck, run_id, attempt).work, MAX_LISTED)
    items = [
        FileView(path=one.path, size=one.size, modified_at=_time(one.modified), checkpoint=one.checkpoint)
        for one in found
    ]
    return Files(items=items, truncated=truncated)


@router.get(
    "/runs/{run_id}/files/{path:any_path}",
    operation_id="getFile",
    response_class=StreamingResponse,
    responses={
        200: {"content": {FILE_TYPE: BYTES}, "description": "The file"},
        206: {"content": {FILE_TYPE: BYTES}, "description": "The requested range"},
        **responses(404, 416, 422),
    },
)
def get_file(
    request: Request,
    run_id: RunId,
    path: Annotated[str, Path(description="The path, as in the list")],
    deck: DeckDep,
    attempt: AttemptNumber = None,
) -> StreamingResponse:
    """Download a file, always as an attachment: what a run wrote is never shown as a page of the deck."""
    file = open_written(attempt_files(deck, run_id, attempt).work, path)
    if file is None:
        raise NotFound(f"Run {run_id} has no such file.", f"GET /runs/{run_id}/files lists those that there are.")
    headers = {"Content-Disposition": attachment(path.rpartition("/")[2])}
    return whole_or_range(request, file, media_type=FILE_TYPE, headers=headers)


def _time(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=min(max(seconds, 0.0), LATEST_SECONDS))
