"""Options of click and Typer: declared, read, and made into arguments."""

import shlex
from collections.abc import Callable
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from traindeck.executors.local.inspector import Inspector
from traindeck.options.checking import check_params
from traindeck.options.conversion import Inexpressible, args_of, completed, read_args
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Target
from traindeck.options.schema import Schema, make_schema
from traindeck.runner.inspecting import clicked
from traindeck.runner.inspecting.hooks import parse_with_click

COMMANDS = """
import enum
from pathlib import Path
import typer
app = typer.Typer(help="Trains and tests.")

class Optimizer(str, enum.Enum):
    adam = "adam"
    sgd = "sgd"

@app.callback()
def common(verbose: int = typer.Option(0, "--verbose", "-v", count=True, help="More words.")):
    raise SystemExit("never run")

@app.command()
def train(
    data: Path,
    lr: float = typer.Option(0.1, "--lr", "-l", min=0, max=1, help="The rate.", rich_help_panel="Optimization"),
    optimizer: Optimizer = Optimizer.adam,
    layers: list[int] = [1, 2],
    size: tuple[int, int] = (28, 28),
    amp: bool = True,
    name: str | None = None,
):
    "Train a model."

@app.command()
def test(checkpoint: Path = typer.Argument(..., help="What to test."), lr: float = 0.0):
    "Test a model."

app()
"""


def test_a_typer_program_has_its_commands_as_a_choice(inspector: Inspector, script: Callable[[str], Target]) -> None:
    inspection = inspector.inspect(script(COMMANDS))
    assert inspection.parser == "typer", inspection.reason
    assert inspection.schema is not None
    found = inspection.schema["properties"]
    assert list(found) == [
        "command", "verbose", "data", "train.lr", "optimizer", "layers", "size", "amp", "name", "checkpoint", "test.lr",
    ]  # fmt: skip
    assert inspection.schema["required"] == ["command"]
    assert found["command"]["enum"] == ["train", "test"]
    assert found["command"]["description"] == "train: Train a model.; test: Test a model."
    assert found["train.lr"]["x-when"] == {"command": "train"}
    rate = {name: found["train.lr"][name] for name in ("type", "minimum", "maximum", "default", "group", "description")}
    assert rate == {
        "type": "number", "minimum": 0, "maximum": 1, "default": 0.1, "group": "Optimization", "description": "The rate.",
    }  # fmt: skip
    assert (found["optimizer"]["enum"], found["optimizer"]["default"]) == (["adam", "sgd"], "adam")
    assert (found["amp"]["type"], found["amp"]["x-flag"]["negative"]) == ("boolean", "--no-amp")
    assert (found["size"]["default"], found["size"]["maxItems"]) == ([28, 28], 2)
    assert found["data"]["x-flag"]["required"]


@pytest.mark.parametrize(
    ("params", "args"),
    [
        ({"command": "train", "data": "d"}, "train d"),
        ({"command": "train", "data": "-d", "train.lr": 0.5}, "train --lr 0.5 -- -d"),
        ({"command": "train", "data": "d", "amp": False, "layers": [3], "size": [8, 9]},
         "train --layers 3 --size 8 9 --no-amp d"),
        ({"command": "test", "checkpoint": "c", "verbose": 2}, "--verbose --verbose test c"),
    ],
)  # fmt: skip
def test_a_form_with_commands_becomes_arguments(
    inspector: Inspector, script: Callable[[str], Target], params: dict[str, Any], args: str
) -> None:
    inspection = inspector.inspect(script(COMMANDS))
    made, complete, errors = resolve_script_params(inspection, [], params, parsing=inspector)
    assert errors == []
    assert made == shlex.split(args)
    assert {name: complete[name] for name in params} == params
    assert "checkpoint" not in complete or params["command"] == "test"
    again, _, errors = resolve_script_params(inspection, made, {}, parsing=inspector)
    assert (again, errors) == (made, [])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("train d --lr 2", "Invalid value for '--lr'"),
        ("train d --lr x", "is not a valid float"),
        ("train", "Missing argument 'DATA'"),
        ("fit d", "No such command 'fit'"),
        ("train d e", "Got unexpected extra argument (e)"),
        ("train d --size 1", "Option '--size' requires 2 arguments"),
        ("--loud train d", "No such option"),
    ],
)
def test_arguments_that_a_typer_program_would_refuse_are_refused(
    inspector: Inspector, script: Callable[[str], Target], args: str, message: str
) -> None:
    inspection = inspector.inspect(script(COMMANDS))
    _, _, errors = resolve_script_params(inspection, shlex.split(args), {}, parsing=inspector)
    assert [error.field for error in errors] == ["script.args"]
    assert message in errors[0].message


@click.command(context_settings={"auto_envvar_prefix": None})
@click.argument("data", nargs=-1)
@click.argument("target")
@click.option("--lr", "-l", type=click.FloatRange(0, 1, max_open=True), default=0.1)
@click.option("--steps", type=int)
@click.option("--name", "-n", "names", multiple=True)
@click.option("--size", nargs=2, type=int, default=(2, 3))
@click.option("--amp/--no-amp", " /-A", default=True)
@click.option("--fast", "-f", is_flag=True)
@click.option("-v", "--verbose", count=True)
@click.option("--mode", type=click.Choice(["Eager", "lazy"], case_sensitive=False), default="lazy")
@click.option("--up", "case", flag_value="up", default=True)
@click.option("--down", "case", flag_value="down")
def program(**_: Any) -> None:
    """Does nothing."""


@click.command()
@click.option("--optimizer", type=click.Choice(["SGD", "Adam"], case_sensitive=False), default="sgd")
@click.option("--extra", type=click.Choice(["SGD", "Adam"], case_sensitive=False), multiple=True, default=["adam"])
def choosing(**_: Any) -> None:
    """Does nothing."""


def test_a_choice_in_any_case_is_the_one_that_was_declared() -> None:
    schema = make_schema("click", clicked.declare(choosing))
    found = schema["properties"]
    assert (found["optimizer"]["default"], found["extra"]["default"]) == ("SGD", ["Adam"])
    params, errors = check_params(schema, {"optimizer": "adam", "extra": ["sgd", "ADAM"]})
    assert (params, errors) == ({"optimizer": "Adam", "extra": ["SGD", "Adam"]}, [])
    assert args_of(schema, params) == ["--optimizer", "Adam", "--extra", "SGD", "--extra", "Adam"]
    assert [error.field for error in check_params(schema, {"optimizer": "adamw"})[1]] == ["optimizer"]


WORDS = st.sampled_from([
    "a", "b", "-1", "--lr", "-l", "-l0.5", "--lr=0.9", "1", "0.5", "--steps", "7", "--name", "-nx", "-n", "--size", "-A",
    "--no-amp", "--amp", "-f", "-fv", "-vvf", "--verbose", "--mode", "EAGER", "lazy", "--up", "--down", "--", "-", "",
    "--fast=1", "--steps=x", "-fl1", "-Z",
])  # fmt: skip
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
SCHEMA: Schema = make_schema("click", clicked.declare(program))


def as_click_does(args: list[str]) -> dict[str, Any] | None:
    levels = parse_with_click(program, args).get("levels")
    return levels[0] if levels else None


@QUICK
@given(st.lists(WORDS, max_size=7))
def test_arguments_are_read_as_click_reads_them(args: list[str]) -> None:
    reading = read_args(SCHEMA, args)
    assert (None if reading.refusal else completed(SCHEMA, reading.values)) == as_click_does(args)


@QUICK
@given(st.data())
def test_parameters_become_arguments_that_mean_them_to_click(data: st.DataObject) -> None:
    asked = {
        "target": data.draw(st.sampled_from(["t", "-t", "--lr"])),
        "data": data.draw(st.lists(st.sampled_from(["a", "-b", ""]), max_size=2)),
        "lr": data.draw(st.floats(0, 1, exclude_max=True)),
        "names": data.draw(st.lists(st.sampled_from(["x", "-y"]), max_size=2)),
        "size": data.draw(st.lists(st.integers(-3, 3), min_size=2, max_size=2)),
        "amp": data.draw(st.booleans()),
        "verbose": data.draw(st.integers(0, 3)),
        "case": data.draw(st.sampled_from(["up", "down"])),
        "mode": data.draw(st.sampled_from(["Eager", "lazy"])),
    }
    params, errors = check_params(SCHEMA, asked)
    assert errors == []
    try:
        args = args_of(SCHEMA, params)
    except Inexpressible:
        assume(False)
    assert as_click_does(args) == completed(SCHEMA, params)
