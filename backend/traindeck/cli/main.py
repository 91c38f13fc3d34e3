"""Assemble the command `traindeck`.

A command imports what it needs beyond parsing when it runs, so that `--help` is quick.
"""

import sys
from io import TextIOWrapper

import typer

from traindeck import __version__
from traindeck.cli.compare import compare
from traindeck.cli.doctor import doctor
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.import_ import import_folder
from traindeck.cli.launch import LAUNCH_SETTINGS, LaunchCommand, launch
from traindeck.cli.logs import logs
from traindeck.cli.rerun import RERUN_SETTINGS, RerunCommand, rerun
from traindeck.cli.run_actions import cancel, remove, resume, retry
from traindeck.cli.runs import runs
from traindeck.cli.serve import serve_command
from traindeck.cli.show import show
from traindeck.cli.tensorboard import tensorboard
from traindeck.cli.terminal import print_failure
from traindeck.cli.trainers import trainers
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


# In the order in which `--help` lists them.
app.command("serve")(serve_command)
app.command("launch", cls=LaunchCommand, **LAUNCH_SETTINGS)(launch)
app.command("rerun", cls=RerunCommand, **RERUN_SETTINGS)(rerun)
app.command("runs")(runs)
app.command("show")(show)
app.command("trainers")(trainers)
app.command("compare")(compare)
app.command("logs")(logs)
app.command("tensorboard")(tensorboard)
app.command("import")(import_folder)
app.command("cancel")(cancel)
app.command("retry")(retry)
app.command("resume")(resume)
app.command("rm")(remove)
app.command("doctor")(doctor)


def main() -> None:
    """Run the command line. docs/command-line.md lists the exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A character that the terminal's encoding lacks must not fail the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="traindeck")
    except CommandFailed as error:
        print_failure(str(error))
        sys.exit(error.exit_code)
    except DeckUnusable as error:
        print_failure(str(error))
        sys.exit(Exit.FAILED)
