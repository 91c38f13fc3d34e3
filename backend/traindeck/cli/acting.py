"""`traindeck cancel`, `retry`, `resume` and `rm`: what is done to runs that are there."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.client import call, connect, read_run
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.options import AsJson, Number, Numbers, Url
from traindeck.cli.plain import plain
from traindeck.cli.terminal import complain, say, write_json
from traindeck.counting import plural

if TYPE_CHECKING:
    import httpx


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("cancel")(cancel)
    app.command("retry")(retry)
    app.command("resume")(resume)
    app.command("rm")(remove)


def cancel(numbers: Numbers, as_json: AsJson = False, url: Url = None) -> None:
    """Stop runs: a queued one at once, a running one by TERM, and KILL after the grace."""
    _post(numbers, "cancel", as_json=as_json, url=url)


def retry(numbers: Numbers, as_json: AsJson = False, url: Url = None) -> None:
    """Queue a new attempt of runs that have ended, from their beginning."""
    _post(numbers, "retry", as_json=as_json, url=url)


def resume(number: Number, as_json: AsJson = False, url: Url = None) -> None:
    """Queue a new attempt of a run that has ended, from its last checkpoint."""
    _post([number], "resume", as_json=as_json, url=url)


def remove(
    numbers: Numbers,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
) -> None:
    """Delete runs that have ended, with everything that they wrote."""
    if not yes:
        _confirm(numbers)

    def delete(client: "httpx.Client", number: int) -> None:
        call(client, "DELETE", f"/runs/{number}")
        say(f"Run {number} deleted")

    _each(numbers, delete, url)


def _confirm(numbers: Sequence[int]) -> None:
    what = f"{plural(len(numbers), 'run')} "
    what += ", ".join(str(number) for number in numbers)
    if not sys.stdin.isatty():
        raise CommandFailed(f"nobody is there to be asked: to delete {what}, say so with --yes", Exit.USAGE)
    if not typer.confirm(f"Delete {what} and everything written there?", err=True):
        raise CommandFailed("nothing was deleted")


def _post(numbers: Sequence[int], verb: str, *, as_json: bool, url: str | None) -> None:
    def post(client: "httpx.Client", number: int) -> None:
        response = call(client, "POST", f"/runs/{number}/{verb}")
        if as_json:
            write_json(response.content)
        else:
            run = read_run(response.content)
            say(plain(f"Run {run.id}  {run.name}  {run.status}"))

    _each(numbers, post, url)


def _each(numbers: Sequence[int], act: Callable[["httpx.Client", int], None], url: str | None) -> None:
    """Do it to every run, also after one for which it could not be done; the first failure gives the exit code."""
    failures = []
    with connect(url) as client:
        for number in dict.fromkeys(numbers):
            try:
                act(client, number)
            except CommandFailed as error:
                if error.exit_code is Exit.UNREACHABLE:
                    raise
                complain(str(error))
                failures.append(error.exit_code)
    if failures:
        raise typer.Exit(failures[0])
