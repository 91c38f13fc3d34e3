"""What a form with a script's options refuses, and in which words."""

import argparse
import enum
from pathlib import Path
from typing import Any

import pytest

from options.parsers import Parser, schema_of
from traindeck.options.checking import check_params
from traindeck.options.conversion import Inexpressible, args_of, completed, read_args


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


def text_to_bool(text: str) -> bool:
    if text.lower() in ("yes", "true"):
        return True
    if text.lower() in ("no", "false"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither")


def everything() -> Parser:
    """A parser with one option of each kind."""
    parser = Parser(description="Every kind of option.")
    parser.add_argument("data", type=Path, help="Where the images are.")
    rates = parser.add_argument_group("Rates", "What changes.")
    rates.add_argument("--lr", "-l", type=float, default=0.1, metavar="RATE", help="The rate (default %(default)s).")
    rates.add_argument("--momentum", type=float)
    parser.add_argument("--epochs", type=int, default="3")
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    parser.add_argument("--color", type=Color, choices=list(Color), default=Color.RED)
    parser.add_argument("--depth", type=int, choices=[18, 34], default=18)
    parser.add_argument("--size", type=int, nargs=2, default=(28, 28))
    parser.add_argument("--layers", type=int, nargs="+")
    parser.add_argument("--tag", action="append")
    parser.add_argument("--amp", type=text_to_bool, default=True)
    parser.add_argument("--cuda", action="store_true")
    parser.add_argument("--no-shuffle", dest="shuffle", action="store_false")
    parser.add_argument("--pin", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("-v", action="count", default=0)
    parser.add_argument("--resume", nargs="?", const="last")
    parser.add_argument("--limit", type=float, default=float("inf"))
    parser.add_argument("--small", dest="scale", action="store_const", const="small", default="medium")
    parser.add_argument("--large", dest="scale", action="store_const", const="large")
    parser.add_argument("--secret", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, choices=range(1000), default=0)
    parser.add_argument("--version", action="version", version="1")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--gpu", type=int)
    where.add_argument("--cpu", action="store_true")
    return parser


SCHEMA = schema_of(everything())
FOUND = SCHEMA["properties"]


def refusals(**params: Any) -> dict[str, str]:
    _, errors = check_params(SCHEMA, {"data": "d", **params})
    return {error.field: error.message for error in errors}


def test_every_option_has_its_place_in_the_form_as_it_was_declared() -> None:
    assert list(FOUND) == [
        "data", "lr", "momentum", "epochs", "optimizer", "color", "depth", "size", "layers", "tag", "amp", "cuda",
        "shuffle", "pin", "v", "resume", "limit", "scale", "seed", "gpu", "cpu",
    ]  # fmt: skip
    assert SCHEMA["required"] == ["data"]
    assert SCHEMA["description"] == "Every kind of option."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data", {"type": "string", "format": "path", "description": "Where the images are."}),
        ("lr", {"type": "number", "default": 0.1, "group": "Rates", "description": "The rate (default 0.1)."}),
        ("momentum", {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None}),
        ("epochs", {"type": "integer", "default": 3}),
        ("optimizer", {"enum": ["adam", "sgd"], "default": "adam"}),
        ("color", {"enum": ["red", "blue"], "default": "red"}),
        ("depth", {"enum": [18, 34], "default": 18}),
        ("size", {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2, "default": [28, 28]}),
        ("amp", {"type": "boolean", "default": True}),
        ("cuda", {"type": "boolean", "default": False}),
        ("shuffle", {"title": "shuffle", "type": "boolean", "default": True}),
        ("pin", {"title": "pin", "type": "boolean", "default": False}),
        ("v", {"type": "integer", "minimum": 0, "default": 0}),
        ("limit", {"anyOf": [{"type": "number"}, {"const": "inf"}], "default": "inf"}),
        ("scale", {"enum": ["small", "large", "medium"], "default": "medium"}),
        ("seed", {"type": "integer", "minimum": 0, "maximum": 999, "default": 0}),
    ],
)
def test_an_option_is_described_by_its_type_default_and_help(name: str, expected: dict[str, Any]) -> None:
    assert {key: FOUND[name][key] for key in expected} == expected


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"lr": "fast"}, 'lr is "fast", but must be a number'),
        ({"lr": True}, "lr is true, but must be a number"),
        ({"epochs": 1.5}, "epochs is 1.5, but must be a whole number"),
        ({"epochs": None}, "epochs is null, but must be a whole number"),
        ({"optimizer": "adamw"}, 'optimizer is "adamw", but must be "adam" or "sgd"'),
        ({"depth": "18"}, 'depth is "18", but must be 18 or 34'),
        ({"size": [1]}, "size is [1], but must be a list of 2 values"),
        ({"layers": []}, "layers is [], but must be a list of at least 1 value"),
        ({"layers": [1, "x"]}, 'layers is "x", but must be a whole number'),
        ({"cuda": 1}, "cuda is 1, but must be true or false"),
        ({"seed": 1000}, "seed is 1000, but must be at most 999"),
        ({"v": -1}, "v is -1, but must be at least 0"),
        ({"data": "a\0b"}, 'data is "a\\u0000b", but must be text'),
        ({"epoch": 3}, "there is no parameter \"epoch\"; did you mean 'epochs'?"),
        ({"secret": "x"}, "there is no parameter \"secret\""),
        ({"gpu": 0, "cpu": True}, "cpu cannot be given together with gpu"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_what_would_be_right(params: dict[str, Any], message: str) -> None:
    refused = refusals(**params)
    assert len(refused) == 1
    ((field, said),) = refused.items()
    assert field in params
    assert said.startswith(message)


def test_what_is_required_is_missed() -> None:
    _, errors = check_params(SCHEMA, {})
    assert [(error.field, error.message) for error in errors] == [
        ("data", "data is required: the script cannot be started without it")
    ]


@pytest.mark.parametrize(
    ("params", "args"),
    [
        ({}, ["d"]),
        ({"lr": 1e-5, "momentum": -0.5}, ["--lr", "1e-05", "--momentum=-0.5", "d"]),
        ({"color": "blue", "depth": 34, "size": [32, -1]}, ["--color", "blue", "--depth", "34", "--size", "32", "-1", "d"]),
        ({"amp": False, "cuda": True, "shuffle": False, "pin": True}, ["--amp", "false", "--cuda", "--no-shuffle", "--pin", "d"]),
        ({"v": 3, "resume": "last", "scale": "large"}, ["--resume", "-v", "-v", "-v", "--large", "d"]),
        ({"resume": "x.pt", "tag": ["a", "-b"]}, ["--resume", "x.pt", "--tag", "a", "--tag=-b", "d"]),
        ({"layers": [1, 2]}, ["--layers", "1", "2", "--", "d"]),
        ({"limit": "inf"}, ["--limit", "inf", "d"]),
        ({"limit": "nan"}, ["--limit", "nan", "d"]),
    ],
)  # fmt: skip
def test_parameters_become_the_arguments_that_somebody_would_type(params: dict[str, Any], args: list[str]) -> None:
    given, errors = check_params(SCHEMA, {"data": "d", **params})
    assert errors == []
    assert args_of(SCHEMA, given) == args
    reading = read_args(SCHEMA, args)
    assert completed(SCHEMA, reading.values) == completed(SCHEMA, given)


def test_what_no_arguments_can_say_is_refused() -> None:
    parser = Parser()
    parser.add_argument("--cuda", action="store_true", default=True)
    parser.add_argument("--tag", action="append", default=["base"])
    schema = schema_of(parser)
    with pytest.raises(Inexpressible, match="cuda cannot be switched off"):
        args_of(schema, {"cuda": False})
    with pytest.raises(Inexpressible, match="tag can only be added to"):
        args_of(schema, {"tag": ["mine"]})
    assert args_of(schema, {"tag": ["base", "mine"]}) == ["--tag", "mine"]


@pytest.mark.parametrize(
    ("args", "values"),
    [
        ("d --ep 5", {"epochs": 5}),
        ("d -l1e-3", {"lr": 0.001}),
        ("d --lr=2 --lr 3", {"lr": 3.0}),
        ("--size 1 2 d", {"size": [1, 2]}),
        ("d --no-pin --resume", {"pin": False, "resume": "last"}),
        ("d --large --small", {"scale": "small"}),
        ("d --secret x", {}),
        ("d -vvv", {"v": 3}),
    ],
)
def test_arguments_fill_the_form(args: str, values: dict[str, Any]) -> None:
    reading = read_args(SCHEMA, args.split())
    assert reading.refusal is None
    assert completed(SCHEMA, reading.values) == completed(SCHEMA, {"data": "d", **values})


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("d --lr fast", "argument --lr/-l: invalid float value: 'fast'"),
        ("d --optimizer adamw", "argument --optimizer: invalid choice: 'adamw'"),
        ("d --unknown 1", "unrecognized arguments: --unknown 1"),
        ("", "the following arguments are required: data"),
        ("d --gpu 1 --cpu", "argument --cpu: not allowed with argument --gpu"),
        ("d --s 1", "ambiguous option: --s could match"),
    ],
)
def test_arguments_are_refused_in_the_words_of_the_script(args: str, words: str) -> None:
    assert (read_args(SCHEMA, args.split()).refusal or "").startswith(words)


@pytest.mark.parametrize("args", ["--help", "-h", "--version", "d --lr x --version".replace("--lr x ", "")])
def test_asking_for_help_is_no_mistake(args: str) -> None:
    reading = read_args(SCHEMA, args.split())
    assert (reading.early, reading.refusal) == (True, None)
