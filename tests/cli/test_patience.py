"""Waiting for a deck that is away."""

import pytest

from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.patience import Patience, patiently

AWAY = CommandFailed("nobody answers", Exit.UNREACHABLE)


def test_a_deck_that_stays_away_is_given_up() -> None:
    with pytest.raises(CommandFailed, match="nobody answers"):
        Patience(seconds=0).wait(AWAY)


def test_a_refusal_is_not_asked_for_again() -> None:
    with pytest.raises(CommandFailed, match="no such run"):
        Patience().wait(CommandFailed("no such run", Exit.NOT_FOUND))


def test_what_works_at_the_second_try_works() -> None:
    tries = iter([AWAY, None])

    def act() -> str:
        failure = next(tries)
        if failure:
            raise failure
        return "done"

    assert patiently(act) == "done"


def test_patience_is_counted_from_the_last_answer() -> None:
    patience = Patience(seconds=30)
    patience.wait(AWAY)
    patience.seconds = 0
    patience.met()
    with pytest.raises(CommandFailed):
        patience.wait(AWAY)
