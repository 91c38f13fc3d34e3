"""Arguments and parameters of one launch, with options that only the script itself can read."""

from collections.abc import Callable

import pytest

from traindeck.executors.local.inspector import Inspector
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Target

Script = Callable[[str], Target]

CUSTOM = """
import argparse, os

def existing(text):
    if not os.path.exists(text):
        raise argparse.ArgumentTypeError(f"{text} does not exist")
    return text

def thousands(text):
    return int(float(text.rstrip("k")) * (1000 if text.endswith("k") else 1))

class Pairs(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, dict(pair.split("=") for pair in values))

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--config", type=existing)
parser.add_argument("--steps", type=thousands, default=1000)
parser.add_argument("--set", nargs="+", action=Pairs)
parser.parse_args()
"""


def test_arguments_stay_as_they_were_typed_and_become_parameters(inspector: Inspector, script: Script) -> None:
    inspection = inspector.inspect(script(CUSTOM))
    args, params, errors = resolve_script_params(inspection, ["--lr=.5", "--steps", "2k"], {}, parsing=inspector)
    assert (args, errors) == (["--lr=.5", "--steps", "2k"], [])
    assert params == {"lr": 0.5, "config": None, "steps": 2000, "set": None}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--config", "none.yaml"], "argument --config: none.yaml does not exist"),
        (["--steps", "many"], "argument --steps: invalid thousands value: 'many'"),
    ],
)
def test_a_type_of_the_scripts_own_refuses_as_it_would_in_the_run(
    inspector: Inspector, script: Script, args: list[str], words: str
) -> None:
    inspection = inspector.inspect(script(CUSTOM))
    _, _, errors = resolve_script_params(inspection, args, {}, parsing=inspector)
    assert [(error.field, error.message) for error in errors] == [
        ("script.args", f"the script would refuse its arguments: {words}")
    ]


OTHER_ARGUMENTS = """
import argparse, sys

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
mode = sys.argv[1] if len(sys.argv) > 1 else "train"
parser.parse_args(sys.argv[2:])
"""
CHANGED_ARGUMENTS = """
import argparse, sys

sys.argv[1:] = [arg for arg in sys.argv[1:] if not arg.startswith("--local-rank")]
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.parse_args()
"""
NO_ARGUMENTS = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.parse_args(["--lr", "3"])
"""


@pytest.mark.parametrize(
    ("source", "args", "lr"),
    [
        (OTHER_ARGUMENTS, ["train", "--lr", "0.5"], 0.5),
        (CHANGED_ARGUMENTS, ["--local-rank=1", "--lr", "0.5"], 0.5),
        (NO_ARGUMENTS, ["-f", "kernel.json"], 3.0),
    ],
)
def test_arguments_are_not_refused_that_the_script_keeps_from_its_parser(
    inspector: Inspector, script: Script, source: str, args: list[str], lr: float
) -> None:
    kept, params, errors = resolve_script_params(inspector.inspect(script(source)), args, {}, parsing=inspector)
    assert (kept, params, errors) == (args, {"lr": lr}, [])


def test_what_the_parser_refuses_of_the_arguments_that_it_is_given_is_told(
    inspector: Inspector, script: Script
) -> None:
    inspection = inspector.inspect(script(OTHER_ARGUMENTS))
    _, _, errors = resolve_script_params(inspection, ["train", "--lr", "fast"], {}, parsing=inspector)
    assert [error.message for error in errors] == [
        "the script would refuse its arguments: argument --lr: invalid float value: 'fast'"
    ]


def test_a_parameter_that_the_script_itself_refuses_is_named(inspector: Inspector, script: Script) -> None:
    inspection = inspector.inspect(script(CUSTOM))
    _, _, errors = resolve_script_params(inspection, [], {"config": "none.yaml"}, parsing=inspector)
    assert [error.field for error in errors] == ["params.config"]
    assert "none.yaml does not exist" in errors[0].message


def test_a_file_beside_the_script_is_found_by_its_type(inspector: Inspector, script: Script) -> None:
    target = script(CUSTOM)
    assert target.base is not None
    (target.base / "base.yaml").write_text("")
    args, params, errors = resolve_script_params(
        inspector.inspect(target), [], {"config": "base.yaml"}, parsing=inspector
    )
    assert (args, params["config"], errors) == (["--config", "base.yaml"], "base.yaml", [])


def test_what_is_given_twice_is_refused_unless_one_shall_go_before_the_other(
    inspector: Inspector, script: Script
) -> None:
    inspection = inspector.inspect(script(CUSTOM))
    _, _, errors = resolve_script_params(inspection, ["--lr", "1"], {"lr": 2})
    assert [error.field for error in errors] == ["params.lr"]
    args, params, errors = resolve_script_params(inspection, ["--lr", "1", "--steps", "5"], {"lr": 2}, override=True)
    assert (args, params["lr"], errors) == (["--lr", "2.0", "--steps", "5"], 2.0, [])


def test_what_the_arguments_lack_may_be_among_the_parameters(inspector: Inspector, script: Script) -> None:
    source = CUSTOM.replace(
        "parser.parse", "parser.add_argument('data')\nparser.add_argument('--hid', help='==SUPPRESS==')\nparser.parse"
    )
    inspection = inspector.inspect(script(source))
    args, params, errors = resolve_script_params(inspection, ["--lr", "1", "--hid", "x"], {"data": "d"})
    assert errors == []
    assert (args, params["data"], params["lr"]) == (["--lr", "1.0", "--hid", "x", "d"], "d", 1.0)


def test_a_script_without_a_form_has_its_arguments_and_no_parameters(inspector: Inspector, script: Script) -> None:
    inspection = inspector.inspect(script("print(1)"))
    assert resolve_script_params(inspection, ["--any", "thing"], {}) == (["--any", "thing"], {}, [])
    _, _, errors = resolve_script_params(inspection, [], {"lr": 1})
    assert [error.field for error in errors] == ["params"]


def test_what_a_script_passes_over_is_passed_on(inspector: Inspector, script: Script) -> None:
    inspection = inspector.inspect(script(CUSTOM.replace("parse_args", "parse_known_args")))
    args, _, errors = resolve_script_params(inspection, ["--other", "x"], {"lr": 2}, override=True)
    assert (args, errors) == (["--lr", "2.0", "--other", "x"], [])


ENVIRONMENT = """
import argparse, os
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=float(os.environ.get("RATE", "0.5")))
parser.parse_args()
"""
ENVIRONMENT_OF_CLICK = """
import click
@click.command()
@click.option("--lr", type=float, default=0.5, envvar="RATE")
def main(lr): pass
main()
"""
CONFIG_FILE = """
import argparse, json
first = argparse.ArgumentParser()
first.add_argument("--config")
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.5)
known, rest = first.parse_known_args()
if known.config:
    parser.set_defaults(**json.load(open(known.config)))
parser.parse_args(rest)
"""


@pytest.mark.parametrize("source", [ENVIRONMENT, ENVIRONMENT_OF_CLICK, CONFIG_FILE])
def test_a_parameter_that_is_given_is_passed_on_though_it_is_the_default(
    inspector: Inspector, script: Script, source: str
) -> None:
    # In the run, the default may be another: by the environment, or by a file.
    inspection = inspector.inspect(script(source))
    args, params, errors = resolve_script_params(inspection, [], {"lr": 0.5}, parsing=inspector)
    assert (args, params["lr"], errors) == (["--lr", "0.5"], 0.5, [])
    assert resolve_script_params(inspection, [], {}, parsing=inspector)[0] == []


ASKING = """
import click
@click.command()
@click.option("--name", prompt="Your name", default="bob")
@click.option("--steps", type=int, prompt=True, default=3, prompt_required=False)
@click.option("--day", type=click.DateTime(), default="2024-01-01")
def main(**_): pass
main()
"""


@pytest.mark.parametrize(
    ("args", "params", "made"),
    [
        ([], {}, ["--name", "bob"]),
        (["--steps", "4"], {}, ["--name", "bob", "--steps", "4"]),
        (["--name", "eve"], {}, ["--name", "eve"]),
        ([], {"day": "2024-02-02"}, ["--name", "bob", "--day", "2024-02-02"]),
        ([], {"name": "bob"}, ["--name", "bob"]),
    ],
)
def test_what_a_script_would_ask_for_is_always_given(
    inspector: Inspector, script: Script, args: list[str], params: dict[str, str], made: list[str]
) -> None:
    inspection = inspector.inspect(script(ASKING))
    found, _, errors = resolve_script_params(inspection, args, params, parsing=inspector)
    assert errors == []
    assert sorted(found) == sorted(made)


def test_a_question_that_no_argument_answers_is_refused(inspector: Inspector, script: Script) -> None:
    source = ASKING.replace('"--name", prompt="Your name", default="bob"', '"--yes", is_flag=True, prompt="Sure?"')
    inspection = inspector.inspect(script(source))
    _, _, errors = resolve_script_params(inspection, [], {"steps": 4}, parsing=inspector)
    assert [error.field for error in errors] == ["params.yes"]
    assert resolve_script_params(inspection, [], {"yes": True}, parsing=inspector)[0] == ["--yes"]
    # A type of the script's own has it asked, where it asks in turn.
    refusal = inspector.parse(inspection.target, ["--day", "2024-02-02"]).refusal
    assert refusal == "it asks for a value, and nobody answers in a run"
