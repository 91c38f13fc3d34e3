"""Which attempts of a run continue each other, so that they are shown as one line."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from traindeck.events.series import bound_problems, list_problems, list_series, read_series
from traindeck.runs.files import AttemptFiles, RunFiles, read_json

TAGS_COMPARED = 8
KNOWN = 10_000
"""The most attempts whose start is cached."""


def lines(run: RunFiles, attempts: int) -> list[list[int]]:
    """Return the numbers of the attempts, oldest first; those that continue each other are in one list.

    An attempt continues the one before if it was given a checkpoint and its scalars start at later steps. A script that
    ignores the checkpoint begins again, and stays apart.
    """
    found: list[list[int]] = [[1]]
    for number in range(2, attempts + 1):
        before, after = run.attempt(number - 1), run.attempt(number)
        if _was_given_a_checkpoint(after) and _takes_up(before, after):
            found[-1].append(number)
        else:
            found.append([number])
    return found


def line_before(run: RunFiles, attempt: int) -> list[AttemptFiles]:
    """Return the attempts that `attempt` continues, oldest first."""
    chain = lines(run, attempt)[-1] if attempt > 1 else []
    return [run.attempt(number) for number in chain[:-1]]


def line_problems(run: RunFiles, attempt: int, before: Sequence[AttemptFiles]) -> list[str]:
    """Return what is omitted or corrected in the curves of an attempt and of those that it continues; 20 at most."""
    earlier = [
        f"Attempt {one.folder.name.rpartition('-')[2]}: {problem}"
        for one in before
        for problem in list_problems(one.scalars)
    ]
    return bound_problems([*list_problems(run.attempt(attempt).scalars), *earlier])


def _was_given_a_checkpoint(attempt: AttemptFiles) -> bool:
    return _resumed(attempt.folder) if attempt.order.exists() else False


@lru_cache(KNOWN)
def _resumed(folder: Path) -> bool:
    return bool((read_json(AttemptFiles(folder).order) or {}).get("resume_from"))


def _takes_up(before: AttemptFiles, after: AttemptFiles) -> bool:
    """Return whether a common scalar starts later in the second attempt; True while there is none."""
    common = sorted(list_series(before.scalars).keys() & list_series(after.scalars).keys())[:TAGS_COMPARED]
    return not common or any(_first(before.scalars, tag) < _first(after.scalars, tag) for tag in common)


def _first(store: Path, tag: str) -> int:
    steps: Sequence[int] = read_series(store, tag, points=2).steps
    return steps[0] if steps else 0
