"""The command `traindeck`. What a command needs beyond parsing is imported when it runs: `--help` shall be quick."""

import sys
from io import TextIOWrapper

import typer

from traindeck import __version__
from traindeck.cli import (
    acting,
    boards,
    comparing,
    doctor,
    importing,
    inspecting,
    launching,
    logs,
    rerunning,
    serving,
)
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.terminal import complain
from traindeck.errors import DeckUnusable

app = typer.Typer(
    name="traindeck",
    help="Launch and monitor PyTorch training runs.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"traindeck {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Launch and monitor PyTorch training runs."""


for module in (serving, launching, rerunning, inspecting, comparing, logs, boards, importing, acting, doctor):
    module.register(app)


def main() -> None:
    """Run the command line; the exit codes are in docs/command-line.md."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A character that the terminal's encoding lacks is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="traindeck")
    except CommandFailed as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except DeckUnusable as error:
        complain(str(error))
        sys.exit(Exit.FAILED)
