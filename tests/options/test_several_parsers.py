"""Options that a script declares in several parsers, or in stages of one; and what it has run by then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traindeck.executors.local.inspector import Inspector
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Target

Script = Callable[[str], Target]

CONFIG_IN_A_FUNCTION = """
import argparse, json

def read_config():
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--config", default=None)
    return p.parse_known_args({given})

def main():
    known, rest = read_config()
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=3)
    if known.config:
        parser.set_defaults(**json.load(open(known.config)))
    args = parser.parse_args(rest)

if __name__ == "__main__":
    main()
"""
CONFIG_IN_A_MODULE = {
    "configs.py": """
import argparse

def known():
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("-c", "--config", default="base")
    return p.parse_known_args()
""",
    "settings.py": """
import argparse
from configs import known

def get():
    config, rest = known()
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=0.1)
    p.add_argument("--layers", type=int, nargs="+", default=[1, 2])
    return p.parse_args(rest, namespace=config)
""",
}
SIDE_BY_SIDE = """
import argparse, sys
from options_of import Options

def read_config():
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--config", default=None)
    return p.parse_known_args(sys.argv[1:])

def train(args):
    raise SystemExit("it has gone too far")

config, rest = read_config()
train(Options(rest).read())
"""
OPTIONS_OF = """
import argparse

class Options:
    def __init__(self, rest):
        self.rest = rest

    def read(self):
        return self.gathered().parse_args(self.rest)

    def gathered(self):
        parser = argparse.ArgumentParser()
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--small", action="store_true")
        group.add_argument("--large", action="store_true")
        return parser
"""
STAGES = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--first", type=int, default=16)
known, _ = parser.parse_known_args()
parser.add_argument("--second", type=int, default=known.first * 2)
known, _ = parser.parse_known_args()
parser.add_argument("--third", type=int, default=3)
args = parser.parse_args()
"""
CHOSEN_STAGE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--model", default="small")
args, _ = parser.parse_known_args()
if args.model == "small":
    parser.add_argument("--width", type=int, default=16)
else:
    parser.add_argument("--depth", type=int, default=2)
args, unknown = parser.parse_known_args()
raise SystemExit("it has gone too far")
"""
BOTH_LENIENT = """
import argparse
def of_data():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="d")
    return parser.parse_known_args()[0]
def of_model():
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=16)
    return parser.parse_known_args()[0]
of_data(), of_model()
"""
LAST_OF_ITS_KIND = """
import argparse
def other():
    argparse.ArgumentParser().parse_args()
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
args, rest = parser.parse_known_args()
open({marker!r}, "w").close()
"""
SIMPLE_PARSING = """
from dataclasses import dataclass
from simple_parsing import ArgumentParser
@dataclass
class Opt:
    lr: float = 0.1
    amp: bool = False
    layers: list[int] = None
@dataclass
class Data:
    batch: int = 8
p = ArgumentParser()
p.add_argument("--seed", type=int, default=1)
p.add_arguments(Opt, dest="opt"); p.add_arguments(Data, dest="data")
a = p.parse_args()
raise SystemExit("it has gone too far")
"""


def defaults(inspector: Inspector, target: Target) -> dict[str, Any]:
    """The options of a script, each with its default."""
    inspection = inspector.inspect(target)
    assert inspection.schema is not None, inspection.reason
    return {name: one.get("default") for name, one in inspection.schema["properties"].items()}


@pytest.mark.parametrize("given", ["", "None", "__import__('sys').argv[1:]"])
def test_a_parser_of_a_config_file_in_a_function_is_followed_by_the_real_one(
    inspector: Inspector, script: Script, given: str
) -> None:
    target = script(CONFIG_IN_A_FUNCTION.format(given=given))
    assert defaults(inspector, target) == {"config": None, "lr": 0.1, "epochs": 3}


def test_a_parser_of_a_config_file_in_a_module_is_followed_by_the_real_one(
    inspector: Inspector, script: Script, folder: Path
) -> None:
    for name, source in CONFIG_IN_A_MODULE.items():
        (folder / name).write_text(source)
    target = script("from settings import get\nprint(get())")
    assert defaults(inspector, target) == {"config": "base", "lr": 0.1, "layers": [1, 2]}
    args, params, errors = resolve_script_params(
        inspector.inspect(target), ["-c", "other", "--lr", "2"], {}, parsing=inspector
    )
    assert (args, errors) == (["-c", "other", "--lr", "2"], [])
    assert params == {"config": "other", "lr": 2.0, "layers": [1, 2]}


def test_a_parser_in_a_class_of_another_module_is_waited_for(
    inspector: Inspector, script: Script, folder: Path
) -> None:
    (folder / "options_of.py").write_text(OPTIONS_OF)
    inspection = inspector.inspect(script(SIDE_BY_SIDE))
    assert inspection.schema is not None
    assert list(inspection.schema["properties"]) == ["config", "small", "large"]
    # Which options exclude each other is told by their places, and the first parser's come before them.
    assert inspection.schema["x-exclusive"] == [{"names": ["small", "large"], "required": True}]


def test_each_stage_of_a_parser_adds_its_options(inspector: Inspector, script: Script) -> None:
    target = script(STAGES)
    assert defaults(inspector, target) == {"first": 16, "second": 32, "third": 3}
    _, params, errors = resolve_script_params(inspector.inspect(target), ["--third", "4"], {}, parsing=inspector)
    assert (params["third"], errors) == (4, [])
    assert resolve_script_params(inspector.inspect(target), ["--fourth", "4"], {}, parsing=inspector)[2]


def test_a_stage_that_depends_on_an_option_is_that_of_the_defaults(inspector: Inspector, script: Script) -> None:
    target = script(CHOSEN_STAGE)
    assert defaults(inspector, target) == {"model": "small", "width": 16}
    given = ["--model", "large", "--depth", "3"]
    args, _, errors = resolve_script_params(inspector.inspect(target), given, {}, parsing=inspector)
    assert (args, errors) == (given, [])


def test_parsers_that_each_pass_over_the_others_options_are_one_form(inspector: Inspector, script: Script) -> None:
    assert defaults(inspector, script(BOTH_LENIENT)) == {"data": "d", "width": 16}


def test_a_script_with_no_parser_ahead_is_not_run_past_the_one_it_has(
    inspector: Inspector, script: Script, folder: Path
) -> None:
    marker = folder.parent / "went-on"
    inspection = inspector.inspect(script(LAST_OF_ITS_KIND.format(marker=str(marker))))
    assert inspection.schema is not None
    assert list(inspection.schema["properties"]) == ["lr"]
    assert inspection.schema["x-lenient"] is True
    assert not marker.exists()


def test_simple_parsing_declares_the_fields_of_its_dataclasses(inspector: Inspector, script: Script) -> None:
    target = script(SIMPLE_PARSING)
    assert defaults(inspector, target) == {
        "seed": 1, "opt.lr": 0.1, "opt.amp": False, "opt.layers": None, "data.batch": 8,
    }  # fmt: skip
    given = ["--lr", "0.5", "--amp", "--layers", "1", "2", "--batch", "4"]
    args, params, errors = resolve_script_params(inspector.inspect(target), given, {}, parsing=inspector)
    assert (args, errors) == (given, [])
    assert params == {"seed": 1, "opt.lr": 0.5, "opt.amp": True, "opt.layers": [1, 2], "data.batch": 4}
