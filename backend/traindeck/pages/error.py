"""The page for a request that could not be answered."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from traindeck.pages.deck import DeckState, Shell
from traindeck.pages.environment import render

TITLES = {
    400: "This request makes no sense",
    403: "This is not allowed",
    404: "Not found",
    405: "Nothing can be done here like that",
    409: "This cannot be done now",
    422: "This cannot be read",
    500: "Something went wrong",
    503: "The deck is busy",
    507: "The disk is full",
}
"""What a person reads in place of the standard's phrases."""


@dataclass(frozen=True, slots=True)
class WayOn:
    """The link that leads on."""

    label: str
    url: str


TO_THE_RUNS = WayOn("Go to the runs", "/runs")


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What went wrong, what to do about it, and the number under which the log has more.

    `filter` is the text that the list of runs could not be filtered by, None where it is not about that.
    """

    shell: Shell
    status: int
    title: str
    detail: str
    reference: str | None
    filter: str | None
    way_on: WayOn
    position: int | None = None
    """At which character the filter cannot be read."""

    @property
    def marked(self) -> tuple[str, str, str] | None:
        """The filter before that character, the character, and what follows it."""
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
    """The error page for an HTTP `status`; `title` is for a status that has no words here.

    `asked` is the address that was asked for, with its query: of the list of runs, its filter can be corrected.
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
