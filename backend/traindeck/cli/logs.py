"""`traindeck logs`."""

from typing import Annotated

import typer

from traindeck.cli.client import connect, get_run
from traindeck.cli.exits import Exit, exit_of
from traindeck.cli.logfile import LogReader, tail_offset
from traindeck.cli.options import Number, Url
from traindeck.cli.patience import patiently
from traindeck.cli.terminal import note
from traindeck.cli.watching import watch_run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("logs")(logs)


def logs(
    number: Number,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    attempt: Annotated[int | None, typer.Option(min=1, help="Of which attempt; the current if not given.")] = None,
    tail: Annotated[int | None, typer.Option(min=0, metavar="LINES", help="Only the last lines.")] = None,
    url: Url = None,
) -> None:
    """Print the log of a run, byte for byte."""
    with connect(url) as client:
        shown = attempt or get_run(client, number).attempt
        # Before the first attempt there is no log yet; asked for without a number, it is empty.
        start = 0 if tail is None else tail_offset(client, number, shown or None, tail)
    reader = LogReader(url, number, shown, start)
    if not follow:
        reader.copy()
        return
    try:
        raise typer.Exit(follow_log(url, reader, only=attempt))
    except KeyboardInterrupt:
        note(f"Run {number} is not touched by Ctrl-C; `traindeck cancel {number}` ends it.")
        raise typer.Exit(Exit.INTERRUPTED) from None


def follow_log(url: str | None, reader: LogReader, *, only: int | None) -> Exit:
    """Print what the log gets until the run has ended, or the attempt `only` has; on into the next attempt, if None.

    Returns:
        The exit code for the final status of the run; OK for an attempt that was not the last.
    """
    for run in watch_run(url, reader.run_id):
        if run.attempt != reader.attempt:
            patiently(reader.copy)
            if only is not None:
                return Exit.OK
            if reader.attempt:
                note(f"Attempt {run.attempt} of run {run.id}")
            reader.begin(run.attempt)
        if run.log_size > reader.offset or run.status.is_final:
            patiently(reader.copy)
        if run.status.is_final:
            return exit_of(run.status)
    raise AssertionError("a run is watched until its watcher has seen enough")
