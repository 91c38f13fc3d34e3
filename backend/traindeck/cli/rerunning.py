"""`traindeck rerun`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from traindeck.cli.client import call, connect, get_run
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.launching import say_launched, variables
from traindeck.cli.options import AsJson, Number, Url
from traindeck.cli.parameters import Parameters
from traindeck.cli.program import find_trainer

if TYPE_CHECKING:
    import httpx

    from traindeck.runs.view import RunView

EPILOG = (
    "Without options the new run has the same code, parameters, arguments and environment. Parameters are given as "
    "options, such as --lr 0.2; what follows -- replaces all arguments of a script."
)
REPLACED = "traindeck.replaced"
"""Under this name the context has the words that followed `--`."""


class RerunCommand(TyperCommand):
    """Leaves options that it does not have to the parameters of the run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments before `--`; those after it are the script's, and kept as they are."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[REPLACED], args = args[at + 1 :], args[:at]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the command."""
    settings = {"ignore_unknown_options": True}
    app.command("rerun", cls=RerunCommand, context_settings=settings, epilog=EPILOG)(rerun)


def rerun(
    ctx: typer.Context,
    number: Number,
    changes: Annotated[list[str] | None, typer.Argument(help="Parameters with other values.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeat it.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the new run.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Its tags instead; repeat it for more.")] = None,
    notes: Annotated[str | None, typer.Option(help="What to remember of it.")] = None,
    priority: Annotated[int | None, typer.Option(help="Higher starts first.")] = None,
    cpus: Annotated[int | None, typer.Option(help="CPU slots.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPU slots.")] = None,
    env: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable; repeat it.")] = None,
    max_retries: Annotated[int | None, typer.Option(help="New attempts after a failure.")] = None,
    resume_arg: Annotated[str | None, typer.Option(metavar="FLAG", help="The option for a checkpoint.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Watch it until it ends.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a new run that does the same as run N, or the same with a few changes."""
    resources = {key: value for key, value in (("cpus", cpus), ("gpus", gpus)) if value is not None}
    given = {
        "name": name, "tags": tag, "notes": notes, "priority": priority, "resources": resources,
        "env": variables(env or []), "max_retries": max_retries, "resume_arg": resume_arg,
        "args": ctx.meta.get(REPLACED),
    }  # fmt: skip
    body = {key: value for key, value in given.items() if value not in (None, {}) and (key == "args" or value != [])}
    with connect(url) as client:
        if changes or param:
            own = [option for one in ctx.command.params for option in one.opts if option.startswith("--")]
            body["params"] = _params(client, get_run(client, number), changes or [], param or [], own)
        response = call(client, "POST", f"/runs/{number}/rerun", body=body)
    say_launched(response, url, follow=follow, as_json=as_json)


def _params(
    client: "httpx.Client", run: "RunView", options: Sequence[str], pairs: Sequence[str], own: Sequence[str]
) -> dict[str, Any]:
    if run.trainer is None and not run.params:
        raise CommandFailed(
            f"the script of run {run.id} has no parameters: give all of its arguments after --", Exit.USAGE
        )
    schema = find_trainer(client, run.trainer)["params_schema"] if run.trainer else schema_of(run.params)
    parameters = Parameters(schema, own)
    parameters.read_options(options)
    parameters.read_pairs(pairs)
    return parameters.read


def schema_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the values that parameters have say of their types; of null, that it may become anything."""
    return {"properties": {name: {"type": _types(value)} for name, value in params.items()}}


def _types(value: Any) -> list[str]:
    names = {bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", str: "string"}
    found = names.get(type(value))
    if found is None:
        return ["null", "integer", "number", "string"]
    return [found, "null"] if found != "integer" else ["integer", "number", "null"]
