"""`/compare`: runs side by side; `/metric-directions`: which values of a scalar are better, as set by the user."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field, StringConstraints

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.api.visitor import VARY, wants_page
from traindeck.launches.boardset import run_numbers
from traindeck.launches.requests import Body
from traindeck.pages.compare_page import render_compare
from traindeck.pages.run_summary import program_name
from traindeck.provenance.record_reader import read_record_of
from traindeck.provenance.run_differences import Compared, compare
from traindeck.runs import commands
from traindeck.runs.comparison import Comparison
from traindeck.runs.directions import Better
from traindeck.runs.queries import find_run, read_directions, show_run

router = APIRouter(route_class=StrictRoute)

FEWEST, MOST = 2, 8
RULE = f"{FEWEST} to {MOST} different ones are compared"
HTML = {"text/html": {"schema": {"type": "string"}}}
MetricTag = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]


@router.get(
    "/compare",
    tags=["runs"],
    operation_id="compareRuns",
    response_model=Comparison,
    responses={200: {"content": HTML}, **responses(404, 422)},
)
def compare_runs(
    request: Request,
    response: Response,
    deck: DeckDep,
    runs: Annotated[str, Query(max_length=500, description="Two to eight numbers of runs", examples=["41,42"])],
) -> Comparison | Response:
    """Compare runs: parameters, metrics, code, git, packages, environment, machine; a page for a browser."""
    response.headers.update(VARY)
    numbers = run_numbers(runs, FEWEST, MOST, RULE)
    with deck.database.read() as session:
        said = read_directions(session)
    comparison = compare([_compared(deck, number) for number in numbers], said=said)
    if not wants_page(request):
        return comparison
    return HTMLResponse(render_compare(comparison, deck=deck.state()), headers=VARY)


def _compared(deck: Deck, run_id: int) -> Compared:
    with deck.database.read() as session:
        run = find_run(session, run_id)
        view = show_run(session, run_id, deck.slots.capacity)
    files = deck.files.run(run_id)
    return Compared(view, read_record_of(run, files, run.attempt), files, program_name(view))


class DirectionBody(Body):
    """The tag of a scalar, and which values are better; null to derive this from its name again."""

    tag: MetricTag = Field(examples=["val/distance"])
    better: Better | None = Field(examples=["lower"])


class Directions(BaseModel):
    """The directions that were set, by tag. For other scalars, the direction is derived from the name, if possible."""

    directions: dict[str, Better]


@router.get("/metric-directions", tags=["metrics"], operation_id="getMetricDirections", responses=responses())
def get_directions(deck: DeckDep) -> Directions:
    """List the scalars whose direction was set."""
    return _directions(deck)


@router.patch(
    "/metric-directions", tags=["metrics"], operation_id="setMetricDirection", responses=responses(413, 415, 422, 507)
)
@in_lane("writing")
def set_direction(body: DirectionBody, deck: DeckDep) -> Directions:
    """Set which values of a scalar are better, for lists, pages of runs, and comparisons."""
    with deck.database.write() as session:
        commands.say_direction(session, body.tag, body.better)
    return _directions(deck)


def _directions(deck: Deck) -> Directions:
    with deck.database.read() as session:
        return Directions(directions=read_directions(session))
