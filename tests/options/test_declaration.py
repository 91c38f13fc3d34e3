"""What a process reports of a parser is what the declaration says."""

import argparse
import typing
from pathlib import Path
from typing import Any

import click
import pytest

from traindeck.options.declaration import (
    DeclaredChoice,
    DeclaredCommand,
    DeclaredCommands,
    DeclaredOption,
    DeclaredParser,
    ExclusiveOptions,
    TakenValue,
    levels,
    with_keys,
)
from traindeck.runner.inspecting import clicked, declared


def argparse_parser() -> Any:
    parser = argparse.ArgumentParser(description="Trains.", fromfile_prefix_chars="@")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--lr", type=float)
    group.add_argument("--fast", action=argparse.BooleanOptionalAction)
    parser.add_argument("--flag", type=bool, choices=[True])
    parser.add_argument("--level", type=int, choices=range(1000), default=3)
    parser.add_argument("--tag", action="append", type=lambda text: text)
    below = parser.add_subparsers(dest="what").add_parser("train", aliases=["t"])
    below.add_argument("folder", type=Path, nargs="?")
    return declared.declare(parser, lenient=True)


def click_command() -> Any:
    @click.group()
    @click.option("--lr", type=click.FloatRange(0, 1, max_open=True), prompt=True)
    def main(lr: float) -> None: ...

    @main.command()
    @click.argument("pair", type=(int, str))
    @click.option("--size", type=click.Choice(["small", "large"], case_sensitive=False))
    @click.option("--verbose/--quiet", "-v", callback=lambda _context, _param, value: value)
    def train(**_: Any) -> None: ...

    return clicked.declare(main)


def check(record: dict[str, Any], kind: Any, *optional: str) -> None:
    hints = typing.get_type_hints(kind, include_extras=True)
    left_out = {name for name, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired} | set(optional)
    assert set(hints) - left_out <= set(record) <= set(hints)


@pytest.mark.parametrize("report", [argparse_parser, click_command])
def test_every_record_has_the_fields_that_are_declared_and_no_others(report: Any) -> None:
    for level in levels(with_keys(report())):
        check(level.record, DeclaredCommand if level.above else DeclaredParser)  # type: ignore[arg-type]
        for option in level.record["options"]:
            check(option, DeclaredOption, *TakenValue.__annotations__)  # type: ignore[arg-type]
            for choice in option.get("choices", []):
                check(choice, DeclaredChoice)  # type: ignore[arg-type]
            for part in option.get("parts", []):
                check(part, TakenValue, *TakenValue.__annotations__)  # type: ignore[arg-type]
        for group in level.record["exclusive"]:
            check(group, ExclusiveOptions)  # type: ignore[arg-type]
        if level.record["commands"]:
            check(level.record["commands"], DeclaredCommands)  # type: ignore[arg-type]
