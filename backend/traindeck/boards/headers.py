"""Which headers pass between a visitor and a board: only those named here, so nothing secret can."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from traindeck.boards.policy import board_policy

REQUEST_HEADERS = (
    "accept",
    "accept-encoding",
    "accept-language",
    "content-type",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "range",
    "x-tensorboard-feature-flags",
    "x-xsrf-protected",
)

RESPONSE_HEADERS = (
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "etag",
    "expires",
    "last-modified",
    "vary",
)

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def request_headers(visitor: Mapping[str, str]) -> dict[str, str]:
    """What a board is told of a visitor's request: no cookie, no authorization, nothing of the connection."""
    return {name: visitor[name] for name in REQUEST_HEADERS if name in visitor}


def response_headers(board: Mapping[str, str], prefix: str) -> dict[str, str]:
    """What a visitor is told of a board's answer; a redirect stays below `prefix`, or goes nowhere."""
    passed = {name: board[name] for name in RESPONSE_HEADERS if name in board}
    policy = {"content-security-policy": board_policy(board.get("content-security-policy"))}
    location = _location(board.get("location"), prefix)
    return passed | SECURITY_HEADERS | policy | ({"location": location} if location else {})


def _location(location: str | None, prefix: str) -> str | None:
    """A board knows two redirects: relative ones, and those to its root, which lies at `prefix`."""
    if location is None or "\\" in location:
        return None
    target = urlsplit(location)
    if target.scheme or target.netloc or location.startswith("//"):
        return None
    if not location.startswith("/") or location.startswith(f"{prefix}/"):
        return location
    return prefix + location
