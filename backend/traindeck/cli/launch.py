"""`traindeck launch`."""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from traindeck.cli.arguments import AsJson, Follow, Params, ResumeArg, Url, Variables
from traindeck.cli.deck_client import call, connect, read_run
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.named_program import (
    Kind,
    Start,
    command_of,
    find_boundary,
    is_command,
    is_script,
    is_trainer,
    module_of,
    options_of,
    script_of,
    trainer_of,
    upload_of,
)
from traindeck.cli.terminal import print_answer, write_json

if TYPE_CHECKING:
    import httpx

EPILOG = (
    "PROGRAM is the name of a trainer, such as mnist, the path of a script, such as train.py or ./train, or a command, "
    "such as torchrun. -m names a module; what follows -- is always a command. "
    "A trainer is followed by its parameters (`traindeck trainers NAME` lists them) or by more of these options; "
    "any other program gets all that follows it, unchanged."
)
LAUNCH_SETTINGS: dict[str, Any] = {"context_settings": {"allow_interspersed_args": False}, "epilog": EPILOG}
KIND = "traindeck.kind"
"""The key in the context for the `Kind` of the words after the options."""
MAX_FILES = 5000
LEFT_OUT = frozenset({"__pycache__", "node_modules", "runs", "lightning_logs", "wandb", "mlruns"})
"""Folders that programs write. An upload leaves these out, as well as hidden folders and virtual environments."""

Program = Annotated[
    str | None, typer.Argument(help="A trainer's name, a script's path, or a command.", show_default=False)
]
Module = Annotated[str | None, typer.Option("--module", "-m", help="Start a module of this folder, as python -m does.")]


class LaunchCommand(TyperCommand):
    """Reads no options after a program that has its own arguments, and reads on after a trainer's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command's own options, and leave the program's arguments as they are."""
        found = find_boundary(args, self.params)  # type: ignore[arg-type]
        # Parsed separately first, so that an unknown option is refused and not taken for a parameter.
        given, _, _ = self.make_parser(ctx).parse_args(list(found.own))
        kind = found.kind
        if kind is Kind.PROGRAM and given.get("upload"):
            kind = Kind.UPLOAD
        elif kind is Kind.PROGRAM and self._is_command(ctx, given, found.rest[0]):
            kind = Kind.COMMAND
        ctx.meta[KIND] = kind
        if kind in (Kind.MODULE, Kind.COMMAND, Kind.UPLOAD) or (kind is Kind.PROGRAM and is_script(found.rest[0])):
            return super().parse_args(ctx, [*found.own, "--", *found.rest])
        ctx.allow_interspersed_args = ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)

    def _is_command(self, ctx: Any, given: dict[str, Any], name: str) -> bool:
        """Return whether the name is a command's. A trainer of the same name has precedence."""
        if ctx.resilient_parsing or is_script(name) or not is_command(name):
            return False
        (option,) = [one for one in self.params if one.name == "url"]
        address, _ = option.consume_value(ctx, given)
        with connect(address) as client:
            return not is_trainer(client, name)


def launch(
    ctx: typer.Context,
    program: Program = None,
    arguments: Annotated[list[str] | None, typer.Argument(help="Its parameters or arguments.")] = None,
    module: Module = None,
    param: Params = None,
    name: Annotated[str | None, typer.Option(help="The run's name. Default: the deck makes one up.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; repeat it for more.")] = None,
    notes: Annotated[str | None, typer.Option(help="Notes about the run.")] = None,
    priority: Annotated[int | None, typer.Option(help="Higher starts first. Default: 0.")] = None,
    cpus: Annotated[int | None, typer.Option(help="CPU slots. Default: 1.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPU slots. Default: 0.")] = None,
    env: Variables = None,
    max_retries: Annotated[int | None, typer.Option(help="New attempts after a failure. Default: 0.")] = None,
    python: Annotated[
        str | None, typer.Option(metavar="PATH", help="Another interpreter, or the folder of its virtual environment.")
    ] = None,
    cold: Annotated[bool, typer.Option("--cold", help="Start a fresh Python.")] = False,
    resume_arg: ResumeArg = None,
    upload: Annotated[bool, typer.Option("--upload", help="Send the file, folder or .zip to the deck.")] = False,
    entry: Annotated[str | None, typer.Option(metavar="FILE", help="With --upload: the file to start.")] = None,
    follow: Follow = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a run of a trainer, a script, a module or a command. It starts as soon as its slots are free."""
    body = request_fields(cpus, gpus, env, name=name, tags=tag, notes=notes, priority=priority, max_retries=max_retries)
    words = [*([program] if program is not None else []), *(arguments or [])]
    start = Start(python, cold, resume_arg)
    with connect(url) as client:
        if upload:
            response = post_upload(client, words[0], body | upload_of(words, param or [], entry, start))
        else:
            body |= _program(client, ctx, module, words, param or [], start)
            response = call(client, "POST", "/runs", body=body)
    print_launched(response, url, follow=follow, as_json=as_json)


def _program(
    client: "httpx.Client", ctx: typer.Context, module: str | None, words: list[str], pairs: list[str], start: Start
) -> dict[str, Any]:
    if module is None and not words:
        raise CommandFailed("Missing argument 'PROGRAM': a trainer, a script, -m MODULE, or -- COMMAND", Exit.USAGE)
    if module is None and ctx.meta.get(KIND) is not Kind.COMMAND and not is_script(words[0]):
        start.check_none(words[0])
        return trainer_of(client, words[0], words[1:], pairs, option_names(ctx))
    if module is not None:
        body = module_of(module, words, start)
    elif ctx.meta.get(KIND) is Kind.COMMAND:
        body = command_of(words, start)
    else:
        body = script_of(words[0], words[1:], start)
    return body | options_of(client, body["script"], pairs)


def option_names(ctx: typer.Context) -> list[str]:
    """Return the long options of the command that is running."""
    return [option for one in ctx.command.params for option in one.opts if option.startswith("--")]


def post_upload(client: "httpx.Client", path: str, body: Mapping[str, Any]) -> "httpx.Response":
    """Queue a run of the file or the folder at `path`, and send it along.

    Raises:
        CommandFailed: it cannot be read, no deck answers, or the deck refuses.
    """
    data = {"run": json.dumps(body)}
    try:
        if not os.path.isdir(path):  # noqa: PTH112
            with Path(path).open("rb") as file:
                return call(client, "POST", "/runs", data=data, files={"file": (Path(path).name, file)})
        with TemporaryFile() as packed:
            _pack(Path(path), packed)
            packed.seek(0)
            name = f"{Path(path).resolve().name}.zip"
            return call(client, "POST", "/runs", data=data, files={"file": (name, packed)})
    except OSError as error:
        raise CommandFailed(f"{error.filename or path} cannot be sent: {error.strerror}", Exit.USAGE) from error


def _pack(folder: Path, target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for number, path in enumerate(_files(folder)):
            if number == MAX_FILES:
                raise CommandFailed(f"{folder} has more than {MAX_FILES} files. Name a smaller folder", Exit.USAGE)
            archive.write(path, path.relative_to(folder))


def _files(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        here = Path(top)
        folders[:] = sorted(name for name in folders if not _is_left_out(here / name))
        yield from (here / name for name in sorted(names) if not name.startswith(".") and (here / name).is_file())


def _is_left_out(folder: Path) -> bool:
    return folder.name in LEFT_OUT or folder.name.startswith(".") or (folder / "pyvenv.cfg").is_file()


def print_launched(response: "httpx.Response", url: str | None, *, follow: bool, as_json: bool) -> None:
    """Print which run was queued. With `follow`, watch it and end this process with the exit code of its status."""
    run = read_run(response.content)
    if not as_json:
        address = response.url.copy_with(raw_path=run.links["self"].encode())
        print_answer(f"Run {run.id}  {run.name}  {address}")
    if follow:
        from traindeck.cli.follow import follow_run

        raise typer.Exit(follow_run(url, run.id, as_json=as_json))
    if as_json:
        write_json(response.content)


def request_fields(cpus: int | None, gpus: int | None, env: list[str] | None, **given: object) -> dict[str, Any]:
    """Return the given options as fields of a request. What is not given is left out.

    Raises:
        CommandFailed: a variable has no `=`.
    """
    resources = {name: value for name, value in (("cpus", cpus), ("gpus", gpus)) if value is not None}
    fields = {**given, "resources": resources, "env": _variables(env or [])}
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def _variables(pairs: list[str]) -> dict[str, str]:
    read = {}
    for pair in pairs:
        name, equals, read[name] = pair.partition("=")
        if not equals:
            raise CommandFailed(f"--env must be NAME=VALUE; got {pair!r}", Exit.USAGE)
    return read
