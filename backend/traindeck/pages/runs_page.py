"""The page with the list of runs."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from traindeck.pages.metrics import NOTHING, Directions
from traindeck.pages.numbers import show_count
from traindeck.pages.rendering import render
from traindeck.pages.run_row import RunRow, run_row
from traindeck.pages.run_state import LABELS
from traindeck.pages.shell import DeckState, Shell
from traindeck.runs.view import RunPage
from traindeck.wording import counted

SORTS = {
    "-created": "Newest first",
    "created": "Oldest first",
    "name": "Name",
    "status": "Status",
    "-finished": "Last finished",
    "-priority": "Priority",
}
"""The orders that the page offers, as `GET /runs?sort=` names them."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of the list's address: a filter, an order, one status or all, and where the page starts."""

    q: str = ""
    sort: str = "-created"
    status: str | None = None
    cursor: str | None = None

    def url(self) -> str:
        """Return the address of this list, without what has its default."""
        given = {key: value for key, value in asdict(self).items() if value and value != asdict(DEFAULT)[key]}
        return f"/runs?{urlencode(given)}" if given else "/runs"

    @property
    def board_filter(self) -> str:
        """Return the filter for a TensorBoard of this list's runs, on all of its pages."""
        return f"status:{self.status} {self.q}".strip() if self.status else self.q


DEFAULT = ListQuery()


@dataclass(frozen=True, slots=True)
class Chip:
    """A status to filter by, with the number of its runs."""

    label: str
    status: str
    count: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RunsContext:
    """The list. `deck_empty` is True if the deck has no run; `rows` is empty if no run matches."""

    shell: Shell
    query: ListQuery
    rows: list[RunRow]
    chips: list[Chip]
    sorts: list[Choice]
    total: str
    count: str
    next_url: str | None
    first_url: str | None
    clear_url: str
    deck_empty: bool


def render_runs(page: RunPage, *, query: ListQuery, deck: DeckState, fragment: bool, said: Directions = NOTHING) -> str:
    """Render the list as a page, or with `fragment` only its live parts, for a page that is already open.

    `said` has the user's choices of which way scalars are better.
    """
    now = datetime.now(UTC)
    rows = [run_row(run, now, said) for run in page.items]
    running = deck.counts.get("running", 0)
    context = RunsContext(
        shell=Shell(title=f"({running}) Runs" if running else "Runs", section="runs", deck=deck, events="/events"),
        query=query,
        rows=rows,
        chips=_chips(query, deck.counts),
        sorts=_sorts(query.sort, rows),
        total=show_count(page.total),
        count=counted(page.total, "run") if page.total_exact else f"{show_count(page.total)}+ runs",
        next_url=replace(query, cursor=page.next_cursor).url() if page.next_cursor else None,
        first_url=replace(query, cursor=None).url() if query.cursor else None,
        clear_url=ListQuery(sort=query.sort).url(),
        deck_empty=not page.items and not any(deck.counts.values()),
    )
    return render("runs/fragment.html" if fragment else "runs/page.html", context)


def _chips(query: ListQuery, counts: dict[str, int]) -> list[Chip]:
    everything = replace(query, status=None, cursor=None)
    chips = [Chip("All", "", show_count(sum(counts.values())), everything.url(), query.status is None)]
    for status, label in LABELS.items():
        if counts.get(status) or query.status == status:
            url = replace(everything, status=status.value).url()
            count = show_count(counts.get(status, 0))
            chips.append(Chip(label, status.value, count, url, query.status == status))
    return chips


def _sorts(chosen: str, rows: list[RunRow]) -> list[Choice]:
    offered = dict(SORTS)
    for tag in sorted({each.metric.tag for each in rows if each.metric}):
        offered |= {f"-metrics.{tag}": f"Highest {tag}", f"metrics.{tag}": f"Lowest {tag}"}
    offered.setdefault(chosen, chosen)
    return [Choice(value, label, value == chosen) for value, label in offered.items()]
