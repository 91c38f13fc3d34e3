"""The page around a TensorBoard of several runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from traindeck.pages.compare import COLOURS
from traindeck.pages.deck import DeckState, Shell
from traindeck.pages.environment import render
from traindeck.pages.runs import RunsQuery


@dataclass(frozen=True, slots=True)
class BoardContext:
    """`url` is TensorBoard's address without its last slash, `state_url` tells how far it is. `filter` is None for
    runs that were named; "" links are left out.
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
    """One TensorBoard with what is said of it; `query` is that of the page's own address."""
    comparable = 1 < len(numbers) <= COLOURS
    context = BoardContext(
        shell=Shell(title=f"TensorBoard of {count}", section="runs", deck=deck),
        url=url,
        state_url=f"/boards/state?{query}",
        count=count,
        filter=filter_text,
        compare_url=f"/compare?runs={','.join(numbers)}" if comparable else "",
        list_url=RunsQuery(q=filter_text).url() if filter_text else "/runs",
    )
    return render("boards/page.html", context)
