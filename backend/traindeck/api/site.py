"""The addresses of the deck as a whole: `/`, `/healthz`, and `/static/<version>/…`, the files that pages load.

The content at an address with the current version never changes.
"""

import mimetypes
import os
from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import text
from starlette.datastructures import Headers
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from traindeck import __version__
from traindeck.api.content import takes_gzip
from traindeck.api.deck import DeckDep
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.pages.frontend import static_folder, static_url, static_version

router = APIRouter(tags=["deck"], route_class=StrictRoute)
front = APIRouter(include_in_schema=False)

FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
"""For pages of an earlier version of the deck, which get the current files."""


class Static(StaticFiles):
    """Static files below a hash over all of them. Files that the build has compressed are sent so."""

    def get_path(self, scope: Scope) -> str:
        """Return the path without the version at its start."""
        path = super().get_path(scope)
        return os.path.join(*path.split(os.sep)[1:]) if os.sep in path else path  # noqa: PTH118

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the file, compressed if possible and accepted, or 304."""
        asked = Headers(scope=scope)
        version = static_version()
        known = scope["path"].startswith(static_url(""))
        headers = {"Cache-Control": FOR_GOOD if known else ASK_AGAIN, "ETag": f'"{version}"'}
        media_type = mimetypes.guess_type(full_path)[0]
        compressed = Path(f"{os.fspath(full_path)}.gz")
        if compressed.is_file():
            headers["Vary"] = "Accept-Encoding"
            if takes_gzip(asked.get("accept-encoding", "")):
                headers |= {"Content-Encoding": "gzip", "ETag": f'"{version}-gzip"'}
                full_path, stat_result = compressed, compressed.stat()
        answer = FileResponse(full_path, status_code, headers, media_type, stat_result=stat_result)
        return NotModifiedResponse(answer.headers) if self.is_not_modified(answer.headers, asked) else answer


class Health(BaseModel):
    """The deck and its database answer."""

    status: str = Field(examples=["ok"])
    version: str
    cpus: int = Field(description="CPU slots")
    gpus: int = Field(description="GPU slots")
    warm: bool = Field(description="True once launches take milliseconds")


@router.get("/healthz", operation_id="getHealth", responses=responses())
def get_health(deck: DeckDep) -> Health:
    """Return whether the deck is alive."""
    with deck.database.read() as session:
        session.execute(text("SELECT 1"))
    capacity = deck.slots.capacity
    warm = deck.dispatcher.executor.warm
    return Health(status="ok", version=__version__, cpus=capacity.cpus, gpus=capacity.gpus, warm=warm)


@front.get("/")
def go_to_runs() -> Response:
    """Redirect to the list of runs."""
    return RedirectResponse("/runs", 307)


@front.get("/favicon.ico")
def favicon() -> Response:
    """Return the icon, which browsers request whatever the page says."""
    return FileResponse(static_folder() / "img" / "logo.svg", media_type="image/svg+xml")
