"""Apply one action to each of several runs."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from traindeck.cli.deck_client import call, connect, read_run
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.terminal import escape_controls, print_answer, print_failure, write_json

if TYPE_CHECKING:
    import httpx


def post_action(numbers: Sequence[int], action: str, *, as_json: bool, url: str | None) -> None:
    """Send `POST /runs/N/ACTION` for each run, and print the run as it is then."""

    def post(client: "httpx.Client", number: int) -> None:
        response = call(client, "POST", f"/runs/{number}/{action}")
        if as_json:
            write_json(response.content)
        else:
            run = read_run(response.content)
            print_answer(escape_controls(f"Run {run.id}  {run.name}  {run.status}"))

    for_each_run(numbers, post, url)


def for_each_run(numbers: Sequence[int], act: Callable[["httpx.Client", int], None], url: str | None) -> None:
    """Call `act` for every run, also after a failure. The first failure gives the exit code.

    Raises:
        CommandFailed: no deck answers.
    """
    failures = []
    with connect(url) as client:
        for number in dict.fromkeys(numbers):
            try:
                act(client, number)
            except CommandFailed as error:
                if error.exit_code is Exit.UNREACHABLE:
                    raise
                print_failure(str(error))
                failures.append(error.exit_code)
    if failures:
        raise typer.Exit(failures[0])
