"""A refusal names the parameter that it is about."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from traindeck.executors.local.inspector import Inspector
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Parsed, Target

Script = Callable[[str], Target]

ARGPARSE = """
import argparse
def device(text):
    raise RuntimeError(f"no device {text}")
p = argparse.ArgumentParser()
p.add_argument("--device", type=device)
p.add_argument("count", type=lambda text: 1 / int(text), metavar="N")
p.parse_args()
"""
REQUIRED = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("data")
p.add_argument("--lr", type=float, default=0.1)
p.parse_args()
"""
CLICK = """
import click
@click.command()
@click.argument("ckpt", type=click.Path(exists=True))
@click.argument("more", nargs=-1, type=click.Path(exists=True))
@click.option("--layer", type=int, multiple=True, default=[1, 2])
@click.option("--day", "-d", type=click.DateTime())
def main(**_): pass
main()
"""
GROUP = """
import click
@click.group()
def main(): pass
@main.command()
@click.argument("data")
def train(data): pass
main()
"""

CALLBACK = """
import click
def even(context, param, value):
    if len(value) % 2:
        raise click.BadParameter("must be even")
    return value
def either(context, param, value):
    if value is None and context.params.get("word") == "none":
        raise click.BadParameter("needed without a word")
    return value
@click.command()
@click.option("--word", default="even", callback=even, is_eager=True)
@click.option("--other", callback=either)
def main(**_): pass
main()
"""


@pytest.mark.parametrize(
    ("source", "params", "field", "words"),
    [
        (ARGPARSE, {"count": 1, "device": "tpu9"}, "device", "argument --device: RuntimeError: no device tpu9"),
        (ARGPARSE, {"count": "0"}, "count", "argument N: ZeroDivisionError"),
        (CLICK, {"ckpt": "/nonexist"}, "ckpt", "Invalid value for 'CKPT'"),
        (CLICK, {"ckpt": "/", "more": ["/nonexist"]}, "more", "MORE"),
        (CLICK, {"ckpt": "/", "day": "ckpt"}, "day", "Invalid value for '--day' / '-d'"),
        (CLICK, {"ckpt": "/", "layer": []}, "layer", "layer cannot be []"),
        (GROUP, {}, "command", "command is required"),
        (CLICK, {}, "ckpt", "ckpt is required"),
        (CALLBACK, {"word": "odd"}, "word", "must be even"),
        (CALLBACK, {"word": "none"}, "other", "needed without a word"),
    ],
)
def test_a_refusal_names_its_parameter(
    inspector: Inspector, script: Script, source: str, params: dict[str, Any], field: str, words: str
) -> None:
    _, _, errors = resolve_script_params(inspector.inspect(script(source)), [], params, parsing=inspector)
    assert [error.field for error in errors] == [f"params.{field}"]
    assert words in errors[0].message


def test_a_group_that_is_asked_for_help_is_not_refused(inspector: Inspector, script: Script) -> None:
    inspection = inspector.inspect(script(GROUP))
    assert resolve_script_params(inspection, ["--help"], {}, parsing=inspector)[2] == []
    refused = resolve_script_params(inspection, ["train"], {}, parsing=inspector)[2]
    assert [error.field for error in refused] == ["script.args"]


class Unasked:
    """For what can be told without the script."""

    def parse(self, target: Target, args: Sequence[str]) -> Parsed:
        """Nobody asks."""
        raise AssertionError(f"{target.file} was asked about {args}")


@pytest.mark.parametrize(
    ("source", "args"), [(REQUIRED, []), (REQUIRED, ["--lr", "2"]), (GROUP, []), (GROUP, ["train"])]
)
def test_a_script_is_not_asked_about_what_is_missing(
    inspector: Inspector, script: Script, source: str, args: list[str]
) -> None:
    assert resolve_script_params(inspector.inspect(script(source)), args, {}, parsing=Unasked())[2] != []


@pytest.mark.parametrize("change", ["sys.argv.append('data')", "sys.argv[1:] = ['data']", "argv = ['data']"])
def test_a_script_is_asked_where_it_may_add_what_is_missing(inspector: Inspector, script: Script, change: str) -> None:
    source = REQUIRED.replace("p.parse", f"import sys\n{change}\np.parse")
    source = source.replace("parse_args()", "parse_args(argv)") if "argv =" in change[:6] else source
    assert resolve_script_params(inspector.inspect(script(source)), [], {}, parsing=inspector)[2] == []


def test_a_script_is_asked_where_the_environment_may_have_what_is_missing(
    inspector: Inspector, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspection = inspector.inspect(script(CLICK.replace('"ckpt", type', '"ckpt", envvar="CKPT", type')))
    monkeypatch.setenv("CKPT", "/")
    assert resolve_script_params(inspection, [], {}, parsing=inspector)[2] == []
