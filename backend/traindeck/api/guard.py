"""What every request must pass before anything else sees it, and what every answer carries.

Until a deck has access control it listens on loopback only. A page of another site, open in the same browser, can
still send requests there: so the Host must be loopback, and what changes something must come from our own pages, or
from a program, and be JSON.
"""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BOARD_PATH = re.compile(r"/runs/\d+/tensorboard/.*")
MAX_BODY_BYTES = 2_000_000
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
    """A request that goes no further."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Guard:
    """ASGI middleware: checks the request, adds the headers to the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            # No part of a deck is a WebSocket. Closed before it is accepted, a browser sees 403.
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            _check(scope)
        except Refused as refused:
            await _refuse(scope, refused, send)
            return
        await self.app(scope, _bounded(receive), _with_headers(send))


def _check(scope: Scope) -> None:
    hosts = _values(scope, b"host")
    if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
        raise Refused(400, "This deck answers to 127.0.0.1 and localhost only: use one of them as the host.")
    if scope["method"] not in CHANGING:
        return
    origins = _values(scope, b"origin")
    if any(origin not in (f"http://{hosts[0]}", f"https://{hosts[0]}") for origin in origins):
        raise Refused(403, "A page of another site may not change anything here.")
    if any(site not in SAME_SITE for site in _values(scope, b"sec-fetch-site")):
        raise Refused(403, "A page of another site may not change anything here.")
    _check_body(scope)


def _check_body(scope: Scope) -> None:
    lengths = _values(scope, b"content-length")
    length = int(lengths[0]) if lengths and lengths[0].isdigit() else 0
    if length > MAX_BODY_BYTES:
        raise Refused(413, f"The body has {length} bytes; at most {MAX_BODY_BYTES} are read.")
    if BOARD_PATH.fullmatch(scope["path"]):
        return
    types = _values(scope, b"content-type")
    has_body = length > 0 or bool(_values(scope, b"transfer-encoding"))
    if (types or has_body) and not any(_is_json(one) for one in types):
        raise Refused(415, "Send JSON, with the header Content-Type: application/json.")


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _bounded(receive: Receive) -> Receive:
    """Counts what is received: a chunked body tells its length to nobody beforehand."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    return bounded


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *_missing(message["headers"])]}
        await send(message)

    return sending


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    # TensorBoard's answers come with a policy of their own, which is looser.
    present = {name.lower() for name, _ in headers}
    return [(name, value) for name, value in HEADERS if name not in present]


async def _refuse(scope: Scope, refused: Refused, send: Send) -> None:
    title = HTTPStatus(refused.status).phrase
    body = {
        "title": title,
        "status": refused.status,
        "detail": refused.detail,
        "errors": [],
        "reference": None,
    }
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(content)).encode()),
    ]
    # The rest of the body is not read: the connection cannot be used again.
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refused.status, "headers": [*headers, *HEADERS]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
