"""`/metric-directions`: which way scalars are better, as the user says it."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.launches.requests import Body
from traindeck.runs import commands
from traindeck.runs.directions import Better
from traindeck.runs.queries import read_directions

router = APIRouter(tags=["metrics"], route_class=StrictRoute)

MetricTag = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]


class DirectionBody(Body):
    """One scalar's tag, and which way it is better; null to have its name tell again."""

    tag: MetricTag = Field(examples=["val/distance"])
    better: Better | None = Field(examples=["lower"])


class Directions(BaseModel):
    """What was said, by tag. Of any other scalar the name tells, as far as it does."""

    directions: dict[str, Better]


@router.get("/metric-directions", operation_id="getMetricDirections", responses=responses())
def get_directions(deck: DeckDep) -> Directions:
    """List the scalars whose direction was set."""
    return _directions(deck)


@router.patch("/metric-directions", operation_id="setMetricDirection", responses=responses(413, 415, 422, 507))
@in_lane("writing")
def set_direction(body: DirectionBody, deck: DeckDep) -> Directions:
    """Set which way a scalar is better: in lists, on the pages of runs, and in comparisons."""
    with deck.database.write() as session:
        commands.say_direction(session, body.tag, body.better)
    return _directions(deck)


def _directions(deck: Deck) -> Directions:
    with deck.database.read() as session:
        return Directions(directions=read_directions(session))
