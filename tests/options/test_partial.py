"""Arguments that need not be all: the fields of a form give the others."""

from collections.abc import Callable

import pytest

from traindeck.executors.local.inspector import Inspector
from traindeck.options.conversion import read_partly
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Inspection, Target

Script = Callable[[str], Target]

ARGPARSE = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("data")
p.add_argument("pair", nargs=2, type=int)
p.add_argument("--lr", type=float, required=True)
p.add_argument("--epochs", type=int, default=3)
one = p.add_mutually_exclusive_group(required=True)
one.add_argument("--cpu", action="store_true")
one.add_argument("--gpu", type=int)
p.parse_args()
"""
CLICK = """
import click
@click.command()
@click.argument("data")
@click.argument("pair", nargs=2, type=int)
@click.option("--lr", type=float, required=True)
@click.option("--epochs", type=int, default=3)
def main(**_): pass
main()
"""


@pytest.fixture(params=[ARGPARSE, CLICK], ids=["argparse", "click"])
def inspection(request: pytest.FixtureRequest, inspector: Inspector, script: Script) -> Inspection:
    found = inspector.inspect(script(request.param))
    assert found.schema is not None, found.reason
    return found


def test_what_is_there_is_read_though_more_is_required(inspection: Inspection) -> None:
    reading = read_partly(inspection.schema, ["--epochs", "9"])
    assert (reading.refusal, reading.values, reading.extras) == (None, {"epochs": 9}, [])


def test_a_value_that_is_wrong_is_refused_all_the_same(inspection: Inspection) -> None:
    assert "nine" in read_partly(inspection.schema, ["--epochs", "nine"]).refusal


def test_a_wrong_argument_is_not_lost_beside_parameters(inspection: Inspection) -> None:
    params = {"data": "/d", "pair": [1, 2], "lr": 0.1}
    _, resolved, errors = resolve_script_params(inspection, ["--epochs", "nine"], params)
    assert [error.field for error in errors] == ["script.args"]
    assert resolved == {}


def test_the_schema_itself_goes_on_to_require(inspection: Inspection) -> None:
    read_partly(inspection.schema, [])
    assert resolve_script_params(inspection, ["--epochs", "9"], {})[2] != []
