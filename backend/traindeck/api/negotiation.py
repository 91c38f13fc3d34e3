"""Who is asking: a person with a browser, or a program."""

from fastapi import Request


def wants_page(request: Request) -> bool:
    """True where the client accepts HTML, as browsers do and programs do not."""
    return "text/html" in request.headers.get("accept", "")


def wants_fragment(request: Request) -> bool:
    """True where an open page asks for its live parts anew."""
    return request.headers.get("hx-request") == "true"


VARY = {"Vary": "Accept, HX-Request", "Cache-Control": "no-store"}
"""For addresses that answer people and programs differently."""
