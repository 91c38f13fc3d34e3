"""The option by which a script goes on from a checkpoint is looked for among those that it declares."""

from collections.abc import Callable

import pytest

from traindeck.executors.local.inspector import Inspector
from traindeck.options.checking import resume_errors
from traindeck.options.inspection import Target

ARGPARSE = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--resume-from")
parser.add_argument("--fresh", action="store_true")
parser.{parse}()
"""
CLICK = """
import click

@click.group()
def main(): ...

@main.command()
@click.option("--ckpt", type=click.Path())
def train(ckpt): ...

main()
"""


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (None, None),
        ("--resume-from", None),
        ("--resume-from=", None),
        ("--resume", None),
        ("ckpt=", None),
        ("--resumefrom", "has no such option; did you mean '--resume-from'?"),
        ("--checkpoint", "has no such option"),
        ("--fresh", "takes no checkpoint"),
    ],
)
def test_an_option_that_cannot_take_a_checkpoint_is_refused(
    inspector: Inspector, script: Callable[[str], Target], option: str | None, says: str | None
) -> None:
    schema = inspector.inspect(script(ARGPARSE.format(parse="parse_args"))).schema
    assert schema is not None
    errors = resume_errors(schema, option)
    assert [error.field for error in errors] == (["script.resume_arg"] if says else [])
    assert all(says in error.message for error in errors if says)


def test_an_option_of_a_subcommand_counts(inspector: Inspector, script: Callable[[str], Target]) -> None:
    schema = inspector.inspect(script(CLICK)).schema
    assert schema is not None
    assert resume_errors(schema, "--ckpt") == []
    assert len(resume_errors(schema, "--resume")) == 1


def test_a_parser_that_leaves_arguments_to_others_refuses_no_option(
    inspector: Inspector, script: Callable[[str], Target]
) -> None:
    schema = inspector.inspect(script(ARGPARSE.format(parse="parse_known_args"))).schema
    assert schema is not None
    assert resume_errors(schema, "--checkpoint") == []
