"""`traindeck cancel`, `retry`, `resume` and `rm`: one action on each of several runs."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.arguments import AsJson, Number, Numbers, Url
from traindeck.cli.deck_client import call, connect, read_run
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.terminal import escape_controls, print_answer, print_failure, write_json
from traindeck.wording import plural

if TYPE_CHECKING:
    import httpx


def cancel(numbers: Numbers, as_json: AsJson = False, url: Url = None) -> None:
    """Stop runs: a queued run at once; a running one by TERM, and by KILL after the grace period."""
    _post_action(numbers, "cancel", as_json=as_json, url=url)


def retry(numbers: Numbers, as_json: AsJson = False, url: Url = None) -> None:
    """Queue a new attempt of runs that have ended, from their beginning."""
    _post_action(numbers, "retry", as_json=as_json, url=url)


def resume(number: Number, as_json: AsJson = False, url: Url = None) -> None:
    """Queue a new attempt of a run that has ended, from its last checkpoint."""
    _post_action([number], "resume", as_json=as_json, url=url)


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

    _for_each_run(numbers, delete, url)


def _post_action(numbers: Sequence[int], action: str, *, as_json: bool, url: str | None) -> None:
    """Send `POST /runs/N/ACTION` for each run, and print the run as it is then."""

    def post(client: "httpx.Client", number: int) -> None:
        response = call(client, "POST", f"/runs/{number}/{action}")
        if as_json:
            write_json(response.content)
        else:
            run = read_run(response.content)
            print_answer(escape_controls(f"Run {run.id}  {run.name}  {run.status}"))

    _for_each_run(numbers, post, url)


def _for_each_run(numbers: Sequence[int], act: Callable[["httpx.Client", int], None], url: str | None) -> None:
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


def _confirm(numbers: Sequence[int]) -> None:
    what = f"{plural(len(numbers), 'run')} {', '.join(map(str, numbers))}"
    if not sys.stdin.isatty():
        raise CommandFailed(f"cannot ask for confirmation without a terminal. To delete {what}, add --yes", Exit.USAGE)
    if not typer.confirm(f"Delete {what}, with all files?", err=True):
        raise CommandFailed("nothing was deleted")
