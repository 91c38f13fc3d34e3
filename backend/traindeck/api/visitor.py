"""Distinguish browsers from programs, and detect requests that a page of another site has caused."""

from fastapi import Request

from traindeck.errors import LedFromElsewhere

VARY = {"Vary": "Accept, HX-Request", "Cache-Control": "no-store"}
"""The headers of addresses that answer browsers and programs differently."""
OTHER_SITES = frozenset({"cross-site", "same-site"})
"""Another port of this machine may belong to another user, although a browser calls it the same site."""


def wants_page(request: Request) -> bool:
    """Return whether the client accepts HTML, as browsers do and programs do not."""
    return "text/html" in request.headers.get("accept", "")


def wants_fragment(request: Request) -> bool:
    """Return whether an open page requests its live parts again."""
    return request.headers.get("hx-request") == "true"


def led_from_elsewhere(request: Request) -> bool:
    """Return whether a page of another site made the browser ask; false for a typed address and for programs."""
    return any(site in OTHER_SITES for site in request.headers.getlist("sec-fetch-site"))


def refuse_foreign_boards(request: Request) -> None:
    """Refuse to open a TensorBoard for a page of another site. A route depends on this.

    Raises:
        LedFromElsewhere: the request comes from there.
    """
    if led_from_elsewhere(request):
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        detail = "A page of another site asked for this TensorBoard. It was not opened. Open it here if you want it."
        raise LedFromElsewhere(detail, "Open this TensorBoard", address)
