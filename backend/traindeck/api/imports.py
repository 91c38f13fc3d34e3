"""`/imports`: makes runs of folders of event files that lie on the server's machine."""

from fastapi import APIRouter

from traindeck.api.deck import DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.launches.imports import ImportBody, ImportView, import_below

router = APIRouter(tags=["runs"], route_class=StrictRoute)


@router.post("/imports", operation_id="importFolder", responses=responses(409, 413, 415, 422, 507))
@in_lane("importing")
def import_folder(body: ImportBody, deck: DeckDep) -> ImportView:
    """Make a completed run of each folder of event files at or below a folder; twice makes none twice."""
    return import_below(deck.launchpad, body, deck.settings.import_limit_mb * 1_000_000)
