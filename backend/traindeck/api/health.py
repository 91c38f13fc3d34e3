"""`/healthz`: whether the deck can do its work."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import text

from traindeck import __version__
from traindeck.api.deck import DeckDep
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute

router = APIRouter(tags=["deck"], route_class=StrictRoute)


class Health(BaseModel):
    """The deck answers, and its database does."""

    status: str = Field(examples=["ok"])
    version: str
    cpus: int = Field(description="CPU slots")
    gpus: int = Field(description="GPU slots")
    warm: bool = Field(description="True once launches take milliseconds")


@router.get("/healthz", operation_id="getHealth", responses=responses())
def get_health(deck: DeckDep) -> Health:
    """Say whether the deck is alive."""
    with deck.database.read() as session:
        session.execute(text("SELECT 1"))
    capacity = deck.slots.capacity
    warm = deck.dispatcher.executor.warm
    return Health(status="ok", version=__version__, cpus=capacity.cpus, gpus=capacity.gpus, warm=warm)
