"""Argparse parsers made by hypothesis, and arguments for them, good and bad."""

import argparse
from typing import Any, NoReturn

from hypothesis import strategies as st

from traindeck.options.schema import Schema, make_schema
from traindeck.runner.inspecting.declared import declare

NAMES = ("lr", "epochs", "batch_size", "log", "logdir", "seed", "amp", "tag")
TEXTS = st.one_of(
    st.sampled_from(
        ["a", "b", "adam", "", "-1", "-x", "--lr", "1e-3", "-1e-3", "x y", "=", "a=b", "--", "-", "3", "0.5"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4),
)


class Parser(argparse.ArgumentParser):
    """A parser that raises where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def numbers() -> st.SearchStrategy[Any]:
    return st.one_of(st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def options(draw: st.DrawFn, name: str) -> tuple[list[str], dict[str, Any]]:
    """The arguments of one call of `add_argument`."""
    flags = [f"--{name.replace('_', '-')}"] + ([f"-{name[0]}"] if draw(st.booleans()) else [])
    action = draw(
        st.sampled_from(["store"] * 4 + ["store_true", "store_false", "append", "count", "const", "optional", "extend"])
    )
    if action in ("store_true", "store_false"):
        return flags, {"action": action}
    if action == "count":
        return flags, {"action": "count", "default": draw(st.integers(0, 2))}
    if action == "const":
        return flags, {"action": "store_const", "const": draw(st.sampled_from([1, "c", 2.5]))}
    if action == "optional":
        return flags[:1], {"action": argparse.BooleanOptionalAction, "default": draw(st.sampled_from([True, False]))}
    described = draw(values(action))
    if action in ("append", "extend"):
        described.pop("default", None)
        described["nargs"] = "+" if action == "extend" else draw(st.sampled_from([None, 2]))
    return flags, {**described, "action": action}


@st.composite
def values(draw: st.DrawFn, action: str = "store") -> dict[str, Any]:
    kind = draw(st.sampled_from(["int", "float", "str", "choice", "plain"]))
    nargs = draw(st.sampled_from([None, None, None, "?", "*", "+", 2])) if action == "store" else None
    one = {"int": st.integers(-5, 50), "float": numbers(), "choice": st.sampled_from(["adam", "sgd"])}.get(kind, TEXTS)
    described: dict[str, Any] = {"nargs": nargs}
    if kind in ("int", "float", "str"):
        described["type"] = {"int": int, "float": float, "str": str}[kind]
    if kind == "choice":
        described["choices"] = ["adam", "sgd"]
    if draw(st.booleans()):
        described["default"] = draw(one) if nargs in (None, "?") else draw(st.lists(one, min_size=2, max_size=2))
    if nargs == "?":
        described["const"] = draw(one)
    return described


@st.composite
def parsers(draw: st.DrawFn) -> Parser:
    """A parser with options, perhaps positionals, perhaps sub-commands."""
    parser = Parser(allow_abbrev=draw(st.booleans()), conflict_handler="resolve")
    _fill(draw, parser, draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5)))
    if draw(st.booleans()):
        parser.add_argument(
            "data", **draw(st.sampled_from([{}, {"nargs": "?"}, {"nargs": "*", "type": int}, {"nargs": 2}]))
        )
    if draw(st.integers(0, 3)) == 0:
        commands = parser.add_subparsers(dest="command", required=draw(st.booleans()), parser_class=Parser)
        for name in ("train", "test"):
            below = commands.add_parser(name, conflict_handler="resolve")
            _fill(draw, below, draw(st.lists(st.sampled_from(["depth", "width"]), unique=True)))
    return parser


def _fill(draw: st.DrawFn, parser: argparse.ArgumentParser, names: list[str]) -> None:
    for name in names:
        flags, described = draw(options(name))
        parser.add_argument(*flags, **described)


@st.composite
def arguments(draw: st.DrawFn, parser: argparse.ArgumentParser) -> list[str]:
    """Some that mean something to the parser, and some that do not."""
    flags = [flag for flag in parser._option_string_actions if flag not in ("-h", "--help")]
    words = st.one_of(TEXTS, st.sampled_from(["train", "test", "--depth", "--width", "--l", "-vv"]))
    if flags:
        known = st.sampled_from(flags)
        joined = st.tuples(known, TEXTS).map("=".join)
        glued = st.tuples(known, TEXTS).map("".join)
        words = st.one_of(known, known, words, joined, glued)
    return draw(st.lists(words, max_size=7))


def schema_of(parser: argparse.ArgumentParser) -> Schema:
    return make_schema("argparse", declare(parser, lenient=False))
