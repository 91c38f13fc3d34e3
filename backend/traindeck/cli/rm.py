"""`traindeck rm`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.arguments import Numbers, Url
from traindeck.cli.deck_client import call
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.run_actions import for_each_run
from traindeck.cli.terminal import print_answer
from traindeck.wording import plural

if TYPE_CHECKING:
    import httpx


def remove(
    numbers: Numbers,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
) -> None:
    """Delete runs that have ended, with all files that they wrote."""
    if not yes:
        _confirm(numbers)

    def delete(client: "httpx.Client", number: int) -> None:
        call(client, "DELETE", f"/runs/{number}")
        print_answer(f"Run {number} deleted")

    for_each_run(numbers, delete, url)


def _confirm(numbers: Sequence[int]) -> None:
    what = f"{plural(len(numbers), 'run')} {', '.join(map(str, numbers))}"
    if not sys.stdin.isatty():
        raise CommandFailed(f"cannot ask for confirmation without a terminal. To delete {what}, add --yes", Exit.USAGE)
    if not typer.confirm(f"Delete {what}, with all files?", err=True):
        raise CommandFailed("nothing was deleted")
