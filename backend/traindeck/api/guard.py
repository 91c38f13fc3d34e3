"""The checks of every request before any route, and the headers of every answer.

Until a deck has access control, it listens on loopback only. A page of another site in the same browser can still send
requests there. Therefore the Host must be loopback, and a request that changes something must come from our own pages
or from a program, and be JSON, or files where files are accepted.
"""

import asyncio
import json
import re
from collections.abc import Iterable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from traindeck.api.problems import unexpected
from traindeck.pages.shell import chosen_theme

HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
HEAD_ELSEWHERE = re.compile(r"/runs/\d+/tensorboard(/.*)?|/boards/(?!state$)[^/]+(/.*)?|/events|/runs/\d+/log/search")
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BOARD_PATH = re.compile(r"/(runs/\d+/tensorboard|boards/[^/]+)/.*")
TAKES_FILES = re.compile(r"/uploads|/runs")
MAX_BODY_BYTES = 2_000_000
MAX_UPLOAD_BYTES = 200_000_000
THEME = re.compile(r"(?:^|;)\s*traindeck-theme=(light|dark)\s*(?:;|$)")
SAME_SITE = frozenset({"same-origin", "none"})

HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        b"connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Refused(Exception):
    """A request is refused before any route sees it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Guard:
    """ASGI middleware that checks requests, and adds headers to answers."""

    def __init__(self, app: ASGIApp, upload_bytes: int = MAX_UPLOAD_BYTES) -> None:
        self.app = app
        self.upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            # A deck has no WebSockets. Closed before it is accepted, it is a 403 for a browser.
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            # The parts of an upload have headers of their own, and may come with a run.
            limit = MAX_BODY_BYTES + (self.upload_bytes if _brings_files(scope) else 0)
            _check(scope, limit)
        except Refused as refused:
            await _refuse(scope, refused, send)
            return
        theme = THEME.search("; ".join(_values(scope, b"cookie")))
        chosen_theme.set(theme[1] if theme else "")
        # HEAD is answered as GET, and uvicorn omits the body. A board answers HEAD itself, and a stream has no end.
        head = scope["method"] == "HEAD" and not HEAD_ELSEWHERE.fullmatch(scope["path"])
        answer = _Answer(send)
        try:
            await self.app({**scope, "method": "GET"} if head else scope, _bounded(receive, limit), answer.send)
        except asyncio.CancelledError:
            # The server ends without waiting. The answer of uvicorn would lack the headers.
            if not answer.started:
                await _refuse(scope, Refused(503, "The deck is shutting down. Start it again, and repeat this."), send)
            raise
        except Exception as error:
            # Caught here because Starlette would raise it again, and the connection would be lost.
            if answer.started:
                raise
            await unexpected(Request(scope), error)(scope, receive, answer.send)


def _check(scope: Scope, limit: int = MAX_BODY_BYTES) -> None:
    hosts = _values(scope, b"host")
    if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
        raise Refused(400, "This deck answers to 127.0.0.1 and localhost only: use one of them as the host.")
    if any("websocket" in upgrade.lower() for upgrade in _values(scope, b"upgrade")):
        # Without a library for them, uvicorn treats this as an ordinary request.
        raise Refused(403, "No part of a deck is a WebSocket.")
    if scope["method"] not in CHANGING:
        return
    origins = _values(scope, b"origin")
    if any(origin not in (f"http://{hosts[0]}", f"https://{hosts[0]}") for origin in origins):
        raise Refused(403, "A page of another site may not change anything here.")
    if any(site not in SAME_SITE for site in _values(scope, b"sec-fetch-site")):
        raise Refused(403, "A page of another site may not change anything here.")
    _check_body(scope, limit)


def _check_body(scope: Scope, limit: int) -> None:
    lengths = _values(scope, b"content-length")
    length = int(lengths[0][:20]) if lengths and lengths[0].isdecimal() else 0
    if length > limit:
        raise Refused(413, f"The body has {length} bytes, but at most {limit} bytes are read.")
    if BOARD_PATH.fullmatch(scope["path"]) or _brings_files(scope):
        return
    types = _values(scope, b"content-type")
    has_body = length > 0 or bool(_values(scope, b"transfer-encoding"))
    if (types or has_body) and (len(types) != 1 or _media_type(types[0]) != "application/json"):
        raise Refused(415, "Send JSON, with the header Content-Type: application/json.")


def _brings_files(scope: Scope) -> bool:
    """Return whether the request sends files where files are accepted. Its Origin excludes pages of other sites."""
    types = _values(scope, b"content-type")
    takes = scope["method"] == "POST" and TAKES_FILES.fullmatch(scope["path"]) is not None
    return takes and len(types) == 1 and _media_type(types[0]) == "multipart/form-data"


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _bounded(receive: Receive, limit: int) -> Receive:
    """Count the received bytes, and refuse too many: a chunked body does not announce its length."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            # The rest is not read, so the connection cannot be used again.
            raise HTTPException(413, f"The body is too large: at most {limit} bytes are read.", {"Connection": "close"})
        return message

    return bounded


class _Answer:
    """Sends an answer to the client, with the headers of every answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.started = True
            message = {**message, "headers": [*message["headers"], *_missing(message["headers"])]}
        await self._send(message)


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    # The answers of TensorBoard have their own policy, which is less strict.
    present = {name.lower() for name, _ in headers}
    return [(name, value) for name, value in HEADERS if name not in present]


def refusal(status: int, detail: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers and the body of an answer to a request that is not read further."""
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, "errors": [], "reference": None}
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(content)).encode()),
        # The rest of the body is not read: the connection cannot be used again.
        (b"connection", b"close"),
    ]
    return [*headers, *HEADERS], content


async def _refuse(scope: Scope, refused: Refused, send: Send) -> None:
    headers, content = refusal(refused.status, refused.detail)
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
