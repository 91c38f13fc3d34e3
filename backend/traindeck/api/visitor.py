"""Who is asking: a person with a browser, or a program; and whether a page of another site led the browser here."""

from fastapi import Request

from traindeck.errors import LedFromElsewhere


def wants_page(request: Request) -> bool:
    """True where the client accepts HTML, as browsers do and programs do not."""
    return "text/html" in request.headers.get("accept", "")


def wants_fragment(request: Request) -> bool:
    """True where an open page asks for its live parts anew."""
    return request.headers.get("hx-request") == "true"


VARY = {"Vary": "Accept, HX-Request", "Cache-Control": "no-store"}
"""For addresses that answer people and programs differently."""

OTHER_SITES = frozenset({"cross-site", "same-site"})
"""Another port of this machine is another owner, though a browser calls it the same site."""


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
