"""The page around the TensorBoard of several runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from traindeck.pages.frontend import render
from traindeck.pages.runs_page import ListQuery
from traindeck.pages.shell import DeckState, Shell
from traindeck.runs.comparison import COLOURS


@dataclass(frozen=True, slots=True)
class BoardContext:
    """`url` is TensorBoard's address without its last slash; `state_url` reports how far it has loaded.

    `filter` is None if the runs were named. Links that are "" are left out.
    """

    shell: Shell
    url: str
    state_url: str
    count: str
    filter: str | None
    compare_url: str
    list_url: str


def render_board(
    url: str, query: str, count: str, filter_text: str | None, numbers: Sequence[str], *, deck: DeckState | None = None
) -> str:
    """Render the page; `query` is the query of its own address."""
    comparable = 1 < len(numbers) <= COLOURS
    context = BoardContext(
        shell=Shell(title=f"TensorBoard of {count}", section="runs", deck=deck),
        url=url,
        state_url=f"/boards/state?{query}",
        count=count,
        filter=filter_text,
        compare_url=f"/compare?runs={','.join(numbers)}" if comparable else "",
        list_url=ListQuery(q=filter_text).url() if filter_text else "/runs",
    )
    return render("boards/page.html", context)
