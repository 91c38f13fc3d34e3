"""Which headers pass between a visitor and a board: only those named here, so nothing secret can."""

from collections.abc import Mapping
from urllib.parse import urlsplit

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

_SELF = "'self'"

PAGE_DIRECTIVES = {
    "default-src": _SELF,
    "font-src": f"{_SELF} data:",
    "frame-src": _SELF,
    "img-src": f"{_SELF} data: blob:",
    "object-src": "'none'",
    # Polymer's templates and D3 set styles inline; the projector's numeric library calls eval.
    "style-src": f"{_SELF} data: 'unsafe-inline'",
    "connect-src": _SELF,
    "script-src": f"{_SELF} 'unsafe-eval'",
    "worker-src": f"{_SELF} blob:",
    "base-uri": _SELF,
    "form-action": _SELF,
    "frame-ancestors": _SELF,
}
"""The Content-Security-Policy of TensorBoard's answers: looser than the deck's own, on them alone."""


def request_headers(visitor: Mapping[str, str]) -> dict[str, str]:
    """Return what a board is told of a visitor's request: no cookie, no authorization, nothing of the connection."""
    return {name: visitor[name] for name in REQUEST_HEADERS if name in visitor}


def response_headers(board: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return what a visitor is told of a board's answer; a redirect stays below `prefix`, or goes nowhere."""
    passed = {name: board[name] for name in RESPONSE_HEADERS if name in board}
    policy = {"content-security-policy": board_policy(board.get("content-security-policy"))}
    location = _location(board.get("location"), prefix)
    return passed | SECURITY_HEADERS | policy | ({"location": location} if location else {})


def _location(location: str | None, prefix: str) -> str | None:
    """Return where a board redirects to: a relative address, or one below its root, which lies at `prefix`."""
    if location is None or "\\" in location:
        return None
    target = urlsplit(location)
    if target.scheme or target.netloc or location.startswith("//"):
        return None
    if not location.startswith("/") or location.startswith(f"{prefix}/"):
        return location
    return prefix + location


def _joined(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in directives.items())


PAGE_POLICY = _joined(PAGE_DIRECTIVES)


def board_policy(upstream: str | None) -> str:
    """Return our policy, with the hashes of scripts that TensorBoard's own policy of that answer names."""
    scripts = [token for token in (upstream or "").replace(";", " ").split() if token.startswith("'sha256-")]
    if not scripts:
        return PAGE_POLICY
    return _joined(PAGE_DIRECTIVES | {"script-src": " ".join([PAGE_DIRECTIVES["script-src"], *scripts])})
