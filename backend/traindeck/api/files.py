"""`/runs/N/files`: what the run wrote."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from traindeck.api.attempt import AttemptNumber, attempt_files
from traindeck.api.content import attachment, whole_or_range
from traindeck.api.deck import DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.runs.written import list_written, open_written

router = APIRouter(tags=["runs"], route_class=StrictRoute)

MAX_LISTED = 5000
BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_SECONDS = 250_000_000_000
"""A file may claim to be of any year; this is the last one that a date can be of."""


class FileView(BaseModel):
    """One file, by its path below the run's working folder."""

    path: str = Field(examples=["checkpoints/last.pt"])
    size: int = Field(description="Bytes")
    modified_at: datetime
    checkpoint: bool


class Files(BaseModel):
    """What a run wrote: checkpoints first, then by path."""

    items: list[FileView]
    truncated: bool = Field(description=f"True where there are more than {MAX_LISTED}")


@router.get("/runs/{run_id}/files", operation_id="listFiles", responses=responses(404, 422))
@in_lane("files")
def list_files(run_id: RunId, deck: DeckDep, attempt: AttemptNumber = None) -> Files:
    """List what the run wrote in its working folder. Links, hidden files and shared data sets are left out."""
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
        200: {"content": BYTES, "description": "The file"},
        206: {"content": BYTES, "description": "The range that was asked for"},
        **responses(404, 416, 422),
    },
)
def get_file(
    request: Request,
    run_id: RunId,
    path: Annotated[str, Path(description="The path as the list has it")],
    deck: DeckDep,
    attempt: AttemptNumber = None,
) -> StreamingResponse:
    """Download a file. It is always an attachment: what a run wrote is not shown as a page of the deck."""
    file = open_written(attempt_files(deck, run_id, attempt).work, path)
    if file is None:
        raise HTTPException(404, f"Run {run_id} has no such file. GET /runs/{run_id}/files lists those that there are.")
    headers = {"Content-Disposition": attachment(path.rpartition("/")[2])}
    return whole_or_range(request, file, media_type="application/octet-stream", headers=headers)


def _time(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=min(max(seconds, 0.0), LATEST_SECONDS))
