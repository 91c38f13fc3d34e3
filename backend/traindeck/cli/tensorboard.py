"""`traindeck tensorboard`."""

import webbrowser
from typing import Annotated
from urllib.parse import quote

import typer

from traindeck.cli.arguments import Url
from traindeck.cli.deck_client import call, connect
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.terminal import print_answer, print_note


def tensorboard(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[N...]", min=1, help="Numbers of runs.", show_default=False)
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="All runs that match a filter, including later ones.")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address.")] = False,
    url: Url = None,
) -> None:
    """Open the TensorBoard of one run, of several, or of all that match a filter, and print its address."""
    if bool(numbers) == (query is not None):
        raise CommandFailed("give either numbers of runs, or a filter with --query", Exit.USAGE)
    wanted = list(dict.fromkeys(numbers or []))
    with connect(url) as client:
        for number in wanted:
            call(client, "GET", f"/runs/{number}")
        if query is not None:
            # An invalid filter is refused here, and not only in the browser.
            call(client, "GET", "/runs", params={"q": query, "limit": 1})
        address = str(client.base_url).rstrip("/") + _path(wanted, query)
    print_answer(address)
    if not no_open and not _open(address):
        print_note("No browser could be started. Open the address above.")


def _path(numbers: list[int], query: str | None) -> str:
    if query is not None:
        return f"/boards/?q={quote(query, safe=':')}"
    if len(numbers) == 1:
        return f"/runs/{numbers[0]}/tensorboard/"
    return f"/boards/?runs={','.join(map(str, numbers))}"


def _open(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
