"""Where the options of a command end and those of a program begin."""

import pytest
import typer.main

from traindeck.cli.main import app
from traindeck.cli.named_program import Kind, find_boundary

OPTIONS = typer.main.get_command(app).commands["launch"].params


@pytest.mark.parametrize(
    ("words", "own", "kind"),
    [
        ("mnist --lr 1", 0, Kind.PROGRAM),
        ("--name mnist train.py --name x", 2, Kind.PROGRAM),
        ("--name=mnist -f train.py -m x", 2, Kind.PROGRAM),
        ("-p a=b -pc=d train.py", 3, Kind.PROGRAM),
        ("-fp a=b train.py", 2, Kind.PROGRAM),
        ("-m pkg.train --name x", 2, Kind.MODULE),
        ("-mpkg.train -f", 1, Kind.MODULE),
        ("-fm pkg.train -f", 2, Kind.MODULE),
        ("--module=pkg.train", 1, Kind.MODULE),
        ("--cold --module pkg.train a", 3, Kind.MODULE),
        ("--name -m train.py -m x", 2, Kind.PROGRAM),
        ("--name -- -- bash", 2, Kind.COMMAND),
        ("-f -- bash -c x -- y", 1, Kind.COMMAND),
        ("- x", 0, Kind.PROGRAM),
        ("--name", 1, None),
        ("", 0, None),
        ("--unknown train.py", 1, Kind.PROGRAM),
    ],
)
def test_options_end_at_the_first_word_that_is_no_option_and_no_value_of_one(
    words: str, own: int, kind: Kind | None
) -> None:
    given = words.split()
    found = find_boundary(given, OPTIONS)
    assert (found.own, found.kind) == (given[:own], kind)
    rest = given[own:]
    assert found.rest == (rest[1:] if kind is Kind.COMMAND else rest)
