"""`traindeck launch`."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from traindeck.cli.client import call, connect, read_run
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.options import AsJson, Url
from traindeck.cli.program import is_script, script_of, trainer_of
from traindeck.cli.terminal import say, write_json

EPILOG = (
    "A program is a trainer's name, such as mnist, or the path of a script, such as train.py or ./train. "
    "What follows a trainer are its parameters (`traindeck trainers NAME` lists them), or more of these options; "
    "what follows a script goes to it untouched."
)


class LaunchCommand(TyperCommand):
    """Stops reading options at a script, whose arguments are its own; reads on after a trainer's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, read up to the program first: only then is it known which it is."""
        found, _, _ = self.make_parser(ctx).parse_args(list(args))
        if not is_script(found.get("program") or ""):
            ctx.allow_interspersed_args = ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the command."""
    settings = {"allow_interspersed_args": False}
    app.command("launch", cls=LaunchCommand, context_settings=settings, epilog=EPILOG)(launch)


def launch(
    ctx: typer.Context,
    program: Annotated[str, typer.Argument(help="A trainer's name, or a script's path.", show_default=False)],
    arguments: Annotated[list[str] | None, typer.Argument(help="Its parameters, or arguments.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A trainer's parameter; repeat it.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the run; if left out it gets a name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; repeat it for more.")] = None,
    notes: Annotated[str | None, typer.Option(help="What to remember of it.")] = None,
    priority: Annotated[int | None, typer.Option(help="Higher starts first; 0 if not given.")] = None,
    cpus: Annotated[int | None, typer.Option(help="CPU slots; 1 if not given.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPU slots; none if not given.")] = None,
    env: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable; repeat it.")] = None,
    max_retries: Annotated[int | None, typer.Option(help="New attempts after a failure; 0 if not given.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Watch it until it ends.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a run of a trainer or of a script; it starts as soon as its slots are free."""
    resources = {key: value for key, value in (("cpus", cpus), ("gpus", gpus)) if value is not None}
    given = {
        "name": name, "tags": tag, "notes": notes, "priority": priority,
        "resources": resources, "env": variables(env or []), "max_retries": max_retries,
    }  # fmt: skip
    body = {key: value for key, value in given.items() if value not in (None, [], {})}
    with connect(url) as client:
        if is_script(program):
            body |= script_of(program, arguments or [], param or [])
        else:
            own = [option for one in ctx.command.params for option in one.opts if option.startswith("--")]
            body |= trainer_of(client, program, arguments or [], param or [], own)
        response = call(client, "POST", "/runs", body=body)
    run = read_run(response.content)
    if not as_json:
        say(f"Run {run.id}  {run.name}  {str(client.base_url).rstrip('/')}{run.links['self']}")
    if follow:
        end_with(url, run.id, as_json=as_json)
    elif as_json:
        write_json(response.content)


def end_with(url: str | None, run_id: int, *, as_json: bool) -> None:
    """Watch a run until it ends, and end this process with the exit code that says how."""
    from traindeck.cli.follow import follow_run

    raise typer.Exit(follow_run(url, run_id, as_json=as_json))


def variables(pairs: list[str]) -> dict[str, str]:
    """Environment variables from `NAME=VALUE`s.

    Raises:
        CommandFailed: one has no `=`.
    """
    read = {}
    for pair in pairs:
        name, equals, read[name] = pair.partition("=")
        if not equals:
            raise CommandFailed(f"--env {pair!r} must be NAME=VALUE", Exit.USAGE)
    return read
