"""What a visitor reads instead of a board: as a page in a browser, as problem+json elsewhere (RFC 9457)."""

from html import escape
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from traindeck.boards.headers import SECURITY_HEADERS

POLICY = "default-src 'none'; frame-ancestors 'self'"

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark">{refresh}
<title>{title}</title></head>
<body><h1>{title}</h1><p>{detail}</p></body>
</html>
"""


def refusal(
    request: Request,
    status: int,
    detail: str,
    retry_after_seconds: float | None = None,
    *,
    reference: str | None = None,
) -> Response:
    """Return the answer with that status; where trying again is of use, a page does so by itself."""
    headers = SECURITY_HEADERS | {"content-security-policy": POLICY, "cache-control": "no-store"}
    title = HTTPStatus(status).phrase
    refresh = ""
    if retry_after_seconds is not None:
        seconds = max(1, round(retry_after_seconds))
        headers["retry-after"] = str(seconds)
        refresh = f'<meta http-equiv="refresh" content="{seconds}">'
    if "text/html" in request.headers.get("accept", ""):
        page = PAGE.format(title=escape(title), detail=escape(detail), refresh=refresh)
        return HTMLResponse(page, status, headers)
    problem = {"title": title, "status": status, "detail": detail, "errors": [], "reference": reference}
    return JSONResponse(problem, status, headers, media_type="application/problem+json")
