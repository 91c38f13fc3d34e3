"""`/runs/N/scalars`: the points of a run's scalars, downsampled for charts."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from traindeck.api.attempt import AttemptNumber, ended_attempt_files
from traindeck.api.content import packed
from traindeck.api.deck import DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.runs import RunId
from traindeck.api.strict import StrictRoute
from traindeck.errors import FieldError, InvalidRequest
from traindeck.events.series import list_names, read_line
from traindeck.events.tail import catch_up
from traindeck.launches.lines import line_before, line_problems
from traindeck.runs.files import AttemptFiles

router = APIRouter(tags=["runs"], route_class=StrictRoute)

MAX_TAGS = 100
CATCH_UP_SECONDS = 2.0


class SeriesView(BaseModel):
    """Points of one scalar, in order of their steps. NaN and the infinities are null."""

    tag: str
    steps: list[int]
    values: list[float | None]
    wall_times: list[float] = Field(description="Seconds since the epoch")
    total: int = Field(description="The number of points of the whole series")
    start: int = Field(description="The number of points before these; 0 if these represent the whole series")
    cursor: int = Field(description="As `since`, selects only what was written after these")


class Scalars(BaseModel):
    """The requested series, and the names of all series."""

    series: list[SeriesView]
    tags: list[str] | None = Field(description="Null if the client has them, according to `known`")
    problems: list[str] = Field(
        description="What is omitted or corrected in the event files, in sentences that name the file; 20 at most"
    )


@router.get("/runs/{run_id}/scalars", operation_id="getScalars", response_model=Scalars, responses=responses(404, 422))
@in_lane("charts")
def get_scalars(
    request: Request,
    run_id: RunId,
    deck: DeckDep,
    tag: Annotated[
        list[str], Query(max_length=MAX_TAGS, description="The series to return; default none, only the names")
    ] = [],  # noqa: B006
    points: Annotated[int, Query(ge=2, le=20_000, description="The most points of each series")] = 1000,
    since: Annotated[str | None, Query(max_length=5000, description="A cursor for each tag, joined by commas")] = None,
    known: Annotated[
        int | None, Query(ge=0, le=2**62, description="The number of series names that the client has")
    ] = None,
    attempt: AttemptNumber = None,
) -> Response:
    """Read scalars: whole series, or what is new since the cursors of an earlier answer."""
    files, ended = ended_attempt_files(deck, run_id, attempt)
    cursors = _cursors(since, len(tag))
    if ended:
        _read_missing(files)
    # Without an attempt in the request, attempts that continue each other form one line.
    run, number = deck.files.run(run_id), int(files.folder.name.rpartition("-")[2])
    before = line_before(run, number) if attempt is None else []
    stores = [*(one.scalars for one in before), files.scalars]
    series = [read_line(stores, name, points, cursor) for name, cursor in zip(tag, cursors, strict=True)]
    views = [SeriesView.model_validate(one, from_attributes=True) for one in series]
    tags = sorted(set().union(*(list_names(store) for store in stores)))
    answer = Scalars(
        series=views, tags=None if known == len(tags) else tags, problems=line_problems(run, number, before)
    )
    return packed(request, answer.model_dump_json().encode(), "application/json")


def _read_missing(files: AttemptFiles) -> None:
    """Read the event files of an ended attempt whose store is missing."""
    if not files.scalars.exists() and files.work.is_dir():
        catch_up(files.work, files.scalars, CATCH_UP_SECONDS)


def _cursors(since: str | None, count: int) -> list[int | None]:
    if since is None:
        return [None] * count
    try:
        cursors: list[int | None] = [int(part) for part in since.split(",") if part]
    except ValueError:
        cursors = []
    if len(cursors) != count:
        raise InvalidRequest([FieldError("since", f"since must be {count} cursors joined by commas, one for each tag")])
    return cursors
