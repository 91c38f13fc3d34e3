"""The page for a failed request."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from traindeck.pages.frontend import render
from traindeck.pages.shell import DeckState, Shell

TITLES = {
    400: "The request is invalid",
    403: "This is not allowed",
    404: "Not found",
    405: "This address does not support that method",
    409: "This is not possible now",
    422: "A value is invalid",
    500: "Something went wrong",
    503: "The deck is busy",
    507: "The disk is full",
}
"""Titles that replace the phrases of the HTTP standard."""


@dataclass(frozen=True, slots=True)
class WayOn:
    """The link to continue with."""

    label: str
    url: str


TO_THE_RUNS = WayOn("Go to the runs", "/runs")


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What went wrong, what to do, and the reference under which the log has more.

    `filter` is the invalid filter of the list of runs, or None for other errors.
    """

    shell: Shell
    status: int
    title: str
    detail: str
    reference: str | None
    filter: str | None
    way_on: WayOn
    position: int | None = None
    """The position of the character at which the filter is invalid."""

    @property
    def marked(self) -> tuple[str, str, str] | None:
        """Return the filter before that character, the character, and the rest."""
        if self.position is None or self.filter is None:
            return None
        place = self.position - 1
        return self.filter[:place], self.filter[place : place + 1] or " ", self.filter[place + 1 :]


def render_error(
    status: int,
    title: str,
    detail: str,
    reference: str | None,
    deck: DeckState | None = None,
    asked: str = "",
    way_on: WayOn | None = None,
    position: int | None = None,
) -> str:
    """Render the error page for an HTTP `status`; `title` is used if the status has none here.

    `asked` is the requested address with its query, so that an invalid filter of the list can be corrected.
    """
    heading = TITLES.get(status, title)
    shell = Shell(title=heading, section="error", deck=deck)
    filter_text = _filter(status, asked)
    return render(
        "error/page.html",
        ErrorContext(shell, status, heading, detail, reference, filter_text, way_on or TO_THE_RUNS, position),
    )


def _filter(status: int, asked: str) -> str | None:
    address = urlsplit(asked)
    if status != 422 or address.path != "/runs":
        return None
    return parse_qs(address.query).get("q", [""])[0]
