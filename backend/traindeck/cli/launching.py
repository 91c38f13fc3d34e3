"""`traindeck launch`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from traindeck.cli.boundary import Kind, find_boundary
from traindeck.cli.client import call, connect, read_run
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.options import AsJson, Url
from traindeck.cli.program import (
    Start,
    command_of,
    is_command,
    is_script,
    is_trainer,
    module_of,
    options_of,
    script_of,
    trainer_of,
    upload_of,
)
from traindeck.cli.terminal import say, write_json
from traindeck.cli.uploading import launch_uploaded

if TYPE_CHECKING:
    import httpx

EPILOG = (
    "A program is a trainer's name, such as mnist, the path of a script, such as train.py or ./train, or a command, "
    "such as torchrun; -m names a module, and what follows -- is a command, whatever it is called. "
    "What follows a trainer are its parameters (`traindeck trainers NAME` lists them), or more of these options; "
    "what follows anything else goes to it untouched."
)
LAUNCHED = "traindeck.launched"
"""Under this name the context says what the words after the options are."""

Program = Annotated[
    str | None, typer.Argument(help="A trainer's name, a script's path, or a command.", show_default=False)
]
Module = Annotated[str | None, typer.Option("--module", "-m", help="Start a module of this folder, as python -m does.")]
Pairs = Annotated[list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeat it.")]
Interpreter = Annotated[
    str | None, typer.Option(metavar="PATH", help="Another interpreter, or its virtual environment.")
]
ResumeArg = Annotated[
    str | None, typer.Option(metavar="FLAG", help="The script's option for a checkpoint to go on from.")
]


class LaunchCommand(TyperCommand):
    """Stops reading options at a program that has arguments of its own; reads on after a trainer's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments; of those that are the program's own, none is read as an option."""
        found = find_boundary(args, self.params)  # type: ignore[arg-type]
        # By itself first: an option that there is none of is refused, not taken for a parameter.
        given, _, _ = self.make_parser(ctx).parse_args(list(found.own))
        kind = found.kind
        if kind is Kind.PROGRAM and given.get("upload"):
            kind = Kind.UPLOAD
        elif kind is Kind.PROGRAM and self._is_command(ctx, given, found.rest[0]):
            kind = Kind.COMMAND
        ctx.meta[LAUNCHED] = kind
        if kind in (Kind.MODULE, Kind.COMMAND, Kind.UPLOAD) or (kind is Kind.PROGRAM and is_script(found.rest[0])):
            return super().parse_args(ctx, [*found.own, "--", *found.rest])
        ctx.allow_interspersed_args = ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)

    def _is_command(self, ctx: Any, given: dict[str, Any], name: str) -> bool:
        """Whether the name is a command's: a trainer that is called the same as one comes first."""
        if ctx.resilient_parsing or is_script(name) or not is_command(name):
            return False
        (option,) = [one for one in self.params if one.name == "url"]
        address, _ = option.consume_value(ctx, given)
        with connect(address) as client:
            return not is_trainer(client, name)


def register(app: typer.Typer) -> None:
    """Add the command."""
    settings = {"allow_interspersed_args": False}
    app.command("launch", cls=LaunchCommand, context_settings=settings, epilog=EPILOG)(launch)


def launch(
    ctx: typer.Context,
    program: Program = None,
    arguments: Annotated[list[str] | None, typer.Argument(help="Its parameters, or arguments.")] = None,
    module: Module = None,
    param: Pairs = None,
    name: Annotated[str | None, typer.Option(help="What to call the run; if left out it gets a name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; repeat it for more.")] = None,
    notes: Annotated[str | None, typer.Option(help="What to remember of it.")] = None,
    priority: Annotated[int | None, typer.Option(help="Higher starts first; 0 if not given.")] = None,
    cpus: Annotated[int | None, typer.Option(help="CPU slots; 1 if not given.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPU slots; none if not given.")] = None,
    env: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable; repeat it.")] = None,
    max_retries: Annotated[int | None, typer.Option(help="New attempts after a failure; 0 if not given.")] = None,
    python: Interpreter = None,
    cold: Annotated[bool, typer.Option("--cold", help="Start a fresh Python.")] = False,
    resume_arg: ResumeArg = None,
    upload: Annotated[bool, typer.Option("--upload", help="Send the file, folder or .zip to the deck.")] = False,
    entry: Annotated[str | None, typer.Option(metavar="FILE", help="With --upload: which file to start.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Watch it until it ends.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a run of a trainer, a script, a module or any command; it starts as soon as its slots are free."""
    resources = {key: value for key, value in (("cpus", cpus), ("gpus", gpus)) if value is not None}
    given = {
        "name": name, "tags": tag, "notes": notes, "priority": priority,
        "resources": resources, "env": variables(env or []), "max_retries": max_retries,
    }  # fmt: skip
    body = {key: value for key, value in given.items() if value not in (None, [], {})}
    words = [*([program] if program is not None else []), *(arguments or [])]
    start = Start(python, cold, resume_arg)
    with connect(url) as client:
        if upload:
            response = launch_uploaded(client, words[0], body | upload_of(words, param or [], entry, start))
        else:
            body |= _program(client, ctx, module, words, param or [], start)
            response = call(client, "POST", "/runs", body=body)
    say_launched(response, url, follow=follow, as_json=as_json)


def _program(
    client: "httpx.Client", ctx: typer.Context, module: str | None, words: list[str], pairs: list[str], start: Start
) -> dict[str, Any]:
    if module is None and not words:
        raise CommandFailed("Missing argument 'PROGRAM': a trainer, a script, -m MODULE, or -- COMMAND", Exit.USAGE)
    if module is None and ctx.meta.get(LAUNCHED) is not Kind.COMMAND and not is_script(words[0]):
        start.check_none(words[0])
        own = [option for one in ctx.command.params for option in one.opts if option.startswith("--")]
        return trainer_of(client, words[0], words[1:], pairs, own)
    if module is not None:
        body = module_of(module, words, start)
    elif ctx.meta.get(LAUNCHED) is Kind.COMMAND:
        body = command_of(words, start)
    else:
        body = script_of(words[0], words[1:], start)
    return body | options_of(client, body["script"], pairs)


def say_launched(response: "httpx.Response", url: str | None, *, follow: bool, as_json: bool) -> None:
    """Say which run a deck has queued; with `follow`, watch it and end this process with the code that says how."""
    run = read_run(response.content)
    if not as_json:
        say(f"Run {run.id}  {run.name}  {response.url.copy_with(raw_path=run.links['self'].encode())}")
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
