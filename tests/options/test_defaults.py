"""The default that an option has is a value that its form takes, whatever the script made it of."""

import argparse
import json
from typing import Any

import click
import pytest

from options.parsers import Parser, schema_of
from traindeck.options.checking import check_params
from traindeck.options.conversion import args_of, completed, read_args
from traindeck.options.schema import Schema, make_schema
from traindeck.pages.form_fields import field_groups
from traindeck.runner.inspecting import clicked


def is_true(text: str) -> bool:
    return text.lower() == "true"


def unusual() -> Schema:
    """Options whose defaults are of another type than what is given to them."""
    parser = Parser()
    parser.add_argument("--workers", default=4)
    parser.add_argument("--amp", type=is_true, default=False)
    parser.add_argument("--model", type=json.loads, default={"depth": 2})
    parser.add_argument("--limit", type=float, default=float("inf"))
    parser.add_argument("--report", nargs="+", default="none")
    parser.add_argument("--mode", choices=["a", "b"], default="auto")
    parser.add_argument("--pin", action=argparse.BooleanOptionalAction, default="auto")
    parser.add_argument("--rates", nargs="*", default=[0.1, 1])
    return schema_of(parser)


@click.command()
@click.option("--mixed", type=(int, float, str), default=(1, 2.0, "a"))
@click.option("--pairs", type=(str, click.IntRange(0, 9)), multiple=True, default=[("a", 1)])
@click.option("--same", type=(int, int), default=(1, 2))
def tuples(**_: Any) -> None:
    """Does nothing."""


SCHEMAS = {"argparse": unusual(), "click": make_schema("click", clicked.declare(tuples))}
CASES = [(kind, name) for kind, schema in SCHEMAS.items() for name in schema["properties"]]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_default_can_be_sent_back(kind: str, name: str) -> None:
    schema = SCHEMAS[kind]
    default = schema["properties"][name]["default"]
    params, errors = check_params(schema, {name: default})
    assert errors == []
    assert completed(schema, read_args(schema, args_of(schema, params)).values)[name] == default


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("workers", {"anyOf": [{"type": "string"}, {"const": 4}], "default": 4}),
        ("amp", {"type": "boolean", "default": False}),
        ("model", {"anyOf": [{"type": "string"}, {"const": {"depth": 2}}]}),
        ("mode", {"enum": ["a", "b", "auto"]}),
        ("pin", {"anyOf": [{"type": "boolean"}, {"const": "auto"}]}),
    ],
)
def test_a_default_of_another_type_is_one_more_value(name: str, declared: dict[str, Any]) -> None:
    found = SCHEMAS["argparse"]["properties"][name]
    assert {key: found[key] for key in declared} == declared


def test_a_number_is_text_to_an_option_that_takes_text_though_its_default_is_one() -> None:
    schema = SCHEMAS["argparse"]
    params, errors = check_params(schema, {"workers": 8})
    assert (params, errors) == ({"workers": "8"}, [])
    assert args_of(schema, params) == ["--workers", "8"]


def test_each_value_of_a_tuple_is_of_a_kind_of_its_own() -> None:
    schema = SCHEMAS["click"]
    found = schema["properties"]["mixed"]
    assert [one["type"] for one in found["prefixItems"]] == ["integer", "number", "string"]
    params, errors = check_params(schema, {"mixed": [3, 4.5, "z"], "pairs": [["b", 2]]})
    assert errors == []
    assert args_of(schema, params) == ["--mixed", "3", "4.5", "z", "--pairs", "b", "2"]
    for wrong in ({"mixed": ["x", 1, "z"]}, {"mixed": [1, 2.0]}, {"pairs": [["a", 10]]}):
        assert [error.field for error in check_params(schema, wrong)[1]] == list(wrong)


@pytest.mark.parametrize(
    ("name", "kind", "untouched"),
    [
        ("workers", "text", '"4"'),
        ("report", "list", '["none"]'),
        ("pin", "choice", '"auto"'),
        ("limit", "real", '"inf"'),
    ],
)
def test_a_field_that_nobody_touches_has_its_default(name: str, kind: str, untouched: str) -> None:
    fields = {field.name: field for group in field_groups(SCHEMAS["argparse"], {}) for field in group.fields}
    assert (fields[name].kind, fields[name].default_json) == (kind, untouched)
