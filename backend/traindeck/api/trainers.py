"""`/trainers`: what can be trained without a script."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from traindeck.api.deck import DeckDep
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute

router = APIRouter(tags=["trainers"], route_class=StrictRoute)


class TrainerItem(BaseModel):
    """An installed trainer."""

    name: str = Field(examples=["mnist"])
    title: str
    description: str
    params_schema: dict[str, Any] = Field(description="The JSON Schema of its parameters")


class BrokenItem(BaseModel):
    """A trainer that is installed and cannot be loaded."""

    name: str
    package: str
    reason: str


class Trainers(BaseModel):
    """What is installed."""

    items: list[TrainerItem]
    broken: list[BrokenItem]


@router.get("/trainers", operation_id="listTrainers", responses=responses())
def list_trainers(deck: DeckDep) -> Trainers:
    """List the installed trainers, each with the JSON Schema of its parameters; and those that are broken."""
    items = [
        TrainerItem(name=one.name, title=one.title, description=one.description, params_schema=one.schema())
        for one in deck.registry.trainers.values()
    ]
    broken = [BrokenItem(name=one.name, package=one.package, reason=one.reason) for one in deck.registry.broken]
    return Trainers(items=items, broken=broken)
