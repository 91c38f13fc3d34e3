"""The command `traindeck`."""

import sys

import typer
from pydantic import ValidationError

from traindeck import __version__
from traindeck.cli import doctor, inspecting, launching, serving
from traindeck.cli.client import CommandFailed
from traindeck.cli.exits import Exit
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


for module in (serving, launching, inspecting, doctor):
    module.register(app)


def main() -> None:
    """Run the command line; the exit codes are in docs/command-line.md."""
    try:
        app()
    except (CommandFailed, DeckUnusable) as error:
        typer.secho(f"traindeck: {error}", err=True, fg="red")
        sys.exit(error.exit_code if isinstance(error, CommandFailed) else Exit.FAILED)
    except ValidationError as error:
        for detail in error.errors():
            name = ".".join(str(part) for part in detail["loc"])
            typer.secho(f"traindeck: {name}: {detail['msg'].removeprefix('Value error, ')}", err=True, fg="red")
        sys.exit(Exit.USAGE)
