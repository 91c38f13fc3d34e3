"""Which attempt of a run a request is about."""

from typing import Annotated

from fastapi import Query

from traindeck.api.deck import Deck
from traindeck.counting import plural
from traindeck.db.tables import Run
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.files import AttemptFiles
from traindeck.runs.queries import find_run
from traindeck.runs.status import Status

AttemptNumber = Annotated[
    int | None, Query(alias="attempt", ge=1, le=2**31, description="Of which attempt; the current if left out")
]


def attempt_files(deck: Deck, run_id: int, asked: int | None) -> AttemptFiles:
    """Where attempt `asked` lies; the current one for None. A run that has not begun has none, and no files.

    Raises:
        RunNotFound: there is no such run.
        InvalidRequest: the run has had no such attempt.
    """
    with deck.database.read() as session:
        run = find_run(session, run_id)
    return deck.files.run(run_id).attempt(attempt_number(run, asked))


def ended_attempt_files(deck: Deck, run_id: int, asked: int | None) -> tuple[AttemptFiles, bool]:
    """As `attempt_files`, and whether the attempt is over."""
    with deck.database.read() as session:
        run = find_run(session, run_id)
    number = attempt_number(run, asked)
    over = number < run.attempt or not Status(run.status).holds_slots
    return deck.files.run(run_id).attempt(number), over


def attempt_number(run: Run, asked: int | None) -> int:
    """The attempt that is asked for: the current one for None, 0 where there has been none; raises InvalidRequest."""
    if asked is not None and asked > run.attempt:
        had = f"{run.attempt or 'no'} {plural(run.attempt, 'attempt')}"
        raise InvalidRequest([FieldError("attempt", f"attempt is {asked}, but run {run.id} has had {had}")])
    return asked or run.attempt
