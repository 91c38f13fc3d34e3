"""`traindeck rerun`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from traindeck.cli.arguments import AsJson, Follow, Number, Params, ResumeArg, Url, Variables
from traindeck.cli.deck_client import call, connect, get_run
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.launch import option_names, print_launched, request_fields
from traindeck.cli.named_program import find_trainer
from traindeck.cli.parameter_options import ParameterReader

if TYPE_CHECKING:
    import httpx

    from traindeck.runs.view import RunView

EPILOG = (
    "Without options the new run has the same code, parameters, arguments and environment. Give new values of "
    "parameters as options, such as --lr 0.2; words after -- replace all arguments of a script."
)
RERUN_SETTINGS: dict[str, Any] = {"context_settings": {"ignore_unknown_options": True}, "epilog": EPILOG}
REPLACED = "traindeck.replaced"
"""The key in the context for the words after `--`."""


class RerunCommand(TyperCommand):
    """Takes unknown options for parameters of the run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments before `--`, and keep those after it for the script."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[REPLACED], args = args[at + 1 :], args[:at]
        return super().parse_args(ctx, args)


def rerun(
    ctx: typer.Context,
    number: Number,
    changes: Annotated[list[str] | None, typer.Argument(help="Parameters with new values.")] = None,
    param: Params = None,
    name: Annotated[str | None, typer.Option(help="The new run's name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag, instead of the run's own; repeat it for more.")] = None,
    notes: Annotated[str | None, typer.Option(help="Notes about the new run.")] = None,
    priority: Annotated[int | None, typer.Option(help="Higher starts first.")] = None,
    cpus: Annotated[int | None, typer.Option(help="CPU slots.")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPU slots.")] = None,
    env: Variables = None,
    max_retries: Annotated[int | None, typer.Option(help="New attempts after a failure.")] = None,
    resume_arg: ResumeArg = None,
    follow: Follow = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Queue a new run that repeats run N, with changes if you give any."""
    body = request_fields(
        cpus, gpus, env, name=name, tags=tag, notes=notes, priority=priority, max_retries=max_retries,
        resume_arg=resume_arg,
    )  # fmt: skip
    if REPLACED in ctx.meta:
        body["args"] = ctx.meta[REPLACED]
    with connect(url) as client:
        if changes or param:
            run = get_run(client, number)
            body["params"] = _params(client, run, changes or [], param or [], option_names(ctx))
        response = call(client, "POST", f"/runs/{number}/rerun", body=body)
    print_launched(response, url, follow=follow, as_json=as_json)


def _params(
    client: "httpx.Client", run: "RunView", options: Sequence[str], pairs: Sequence[str], own: Sequence[str]
) -> dict[str, Any]:
    if run.trainer is None and not run.params:
        raise CommandFailed(
            f"the script of run {run.id} has no parameters. Give all of its arguments after --", Exit.USAGE
        )
    schema = find_trainer(client, run.trainer)["params_schema"] if run.trainer else schema_of(run.params)
    parameters = ParameterReader(schema, own)
    parameters.read_options(options)
    parameters.read_pairs(pairs)
    return parameters.read


def schema_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Derive a schema from the values of parameters. A null may become a value of any type."""
    return {"properties": {name: {"type": _types(value)} for name, value in params.items()}}


def _types(value: Any) -> list[str]:
    names = {bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", str: "string"}
    found = names.get(type(value))
    if found is None:
        return ["null", "integer", "number", "string"]
    return [found, "null"] if found != "integer" else ["integer", "number", "null"]
