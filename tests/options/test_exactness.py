"""Arguments mean to the deck what they mean to argparse, and parameters become arguments that mean them."""

import argparse
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from options.parsers import Parser, arguments, parsers, schema_of
from traindeck.options.checking import check_params
from traindeck.options.conversion import Inexpressible, args_of, completed, read_args
from traindeck.options.schema import Schema
from traindeck.runner.inspecting.declared import plain

QUICK = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def as_argparse_does(parser: Parser, args: list[str]) -> dict[str, Any] | None:
    """The namespace of argparse as JSON has it, or None where it refuses the arguments."""
    try:
        return {name: plain(value) for name, value in vars(parser.parse_args(args)).items()}
    except (ValueError, argparse.ArgumentError, TypeError):
        return None


def as_the_schema_does(schema: Schema, args: list[str]) -> dict[str, Any] | None:
    reading = read_args(schema, args)
    return None if reading.refusal is not None else in_one_namespace(completed(schema, reading.values))


def in_one_namespace(params: dict[str, Any]) -> dict[str, Any]:
    """Without the command in front of names that several commands have."""
    return {name.rpartition(".")[2]: value for name, value in params.items()}


@QUICK
@given(st.data())
def test_arguments_are_read_as_argparse_reads_them(data: st.DataObject) -> None:
    parser = data.draw(parsers())
    args = data.draw(arguments(parser))
    assume("-h" not in args and not any("--help".startswith(arg) for arg in args if len(arg) > 2))
    assert as_the_schema_does(schema_of(parser), args) == as_argparse_does(parser, args)


def wanted(schema: Schema, data: st.DataObject) -> dict[str, Any]:
    """Parameters that somebody may ask for in a form with this schema."""
    asked: dict[str, Any] = {}
    for name, declared in schema["properties"].items():
        one = declared["anyOf"][0] if "anyOf" in declared else declared
        if declared["x-flag"].get("required") or data.draw(st.booleans()):
            asked[name] = data.draw(of_type(one))
    return asked


def of_type(declared: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in declared:
        return st.sampled_from(declared["enum"])
    if declared["type"] == "array":
        return st.lists(
            of_type(declared["items"]), min_size=declared.get("minItems", 0), max_size=declared.get("maxItems", 3)
        )
    return {
        "integer": st.integers(declared.get("minimum", -9), 9),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "string": st.sampled_from(["a", "b c", "-x", "", "--lr", "3", "-4", "é"]),
    }[declared["type"]]


@QUICK
@given(st.data())
def test_parameters_become_arguments_that_mean_them(data: st.DataObject) -> None:
    parser = data.draw(parsers())
    schema = schema_of(parser)
    params, errors = check_params(schema, wanted(schema, data))
    assume(not errors)
    try:
        args = args_of(schema, params)
    except Inexpressible:
        assume(False)
    assert as_argparse_does(parser, args) == in_one_namespace(completed(schema, params))


@QUICK
@given(st.data())
def test_what_argparse_accepts_can_be_filled_into_the_form_again(data: st.DataObject) -> None:
    parser = data.draw(parsers())
    schema = schema_of(parser)
    args = data.draw(arguments(parser))
    # Python 3.11 makes an empty list of it, whatever the option's type is.
    assume(not any(one.endswith("=--") for one in args))
    reading = read_args(schema, args)
    assume(reading.refusal is None and not reading.early)
    assert check_params(schema, reading.values)[1] == []


def test_what_is_given_is_passed_on_and_nothing_else() -> None:
    parser = Parser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", "-e", type=int, default=3)
    parser.add_argument("--amp", action="store_true")
    schema = schema_of(parser)
    assert args_of(schema, {"lr": 0.1, "epochs": 5, "amp": False}) == ["--lr", "0.1", "--epochs", "5"]
    assert args_of(schema, {"lr": -1e-5, "amp": True}) == ["--lr=-0.00001", "--amp"]
    assert args_of(schema, {}) == []


def test_a_default_that_no_arguments_come_to_is_left_to_the_script() -> None:
    parser = Parser()
    parser.add_argument("--workers", default=4)
    parser.add_argument("--device", type=object, default=object())
    parser.add_argument("--mode", choices=["a", "b"], default="auto")
    parser.add_argument("--tag", action="append", default=["base"])
    parser.add_argument("--lr", type=float, default=1)
    rivals = parser.add_mutually_exclusive_group()
    rivals.add_argument("--steps", type=int, default=10)
    rivals.add_argument("--hours", type=int, default=1)
    schema = schema_of(parser)
    defaults = {name: one["default"] for name, one in schema["properties"].items()}
    given, errors = check_params(schema, {**defaults, "hours": 2})
    assert errors == []
    assert args_of(schema, given) == ["--lr", "1.0", "--hours", "2"]
