"""`/static/<version>/…`: what the pages load. An address with the present version keeps its content for good."""

import mimetypes
import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from traindeck.api.content import takes_gzip
from traindeck.pages.resources import static_url, static_version

FOR_GOOD = "public, max-age=31536000, immutable"
# The page was made by an earlier version of the deck, and gets what is there now.
ASK_AGAIN = "no-cache"


class Static(StaticFiles):
    """Static files below a hash over all of them, and compressed where that was done when they were built."""

    def get_path(self, scope: Scope) -> str:
        """Return the path without the version that the address starts with."""
        path = super().get_path(scope)
        return os.path.join(*path.split(os.sep)[1:]) if os.sep in path else path  # noqa: PTH118

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer with the file, compressed if it can be and the client takes that, or with 304."""
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
