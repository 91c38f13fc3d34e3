"""A row of the list carries few of a run's scalars: those that say best how good the run is."""

import pytest

from traindeck.db.tables import Run
from traindeck.runs import commands
from traindeck.runs.directions import Better
from traindeck.runs.queries import RunsQuery, list_runs
from traindeck.runs.queue import Capacity
from traindeck.runs.rows import MAX_LISTED_METRICS, Observation, write_observation

SUMMARY = {"last": 1.0, "min": 0.5, "max": 2.0, "step": 3, "count": 4}
WEIGHTS = [f"layer{number}/weight/norm" for number in range(300)]
RESULTS = ["Loss/train", "Accuracy/validation", "val/loss"]


@pytest.fixture
def run(database) -> int:
    with database.write() as session:
        run = Run(name="a", trainer="mnist", status="running")
        session.add(run)
        session.flush()
        return run.id


def observe(database, run: int, tags: list[str], **columns) -> None:
    with database.write() as session:
        write_observation(session, Observation(run, 0, {tag: {**SUMMARY, **columns} for tag in tags}))


def listed(database) -> dict:
    with database.read() as session:
        return list_runs(session, RunsQuery(), Capacity(2, 0, 2, 0)).items[0].metrics


@pytest.mark.parametrize(
    "parts", [[WEIGHTS, RESULTS], [RESULTS, WEIGHTS], [[*WEIGHTS, *RESULTS]], [WEIGHTS[:5], RESULTS]]
)
def test_losses_and_qualities_are_listed_however_many_others_come_with_them(database, run, parts):
    for tags in parts:
        observe(database, run, tags)

    assert set(RESULTS) <= set(listed(database))
    assert len(listed(database)) == min(MAX_LISTED_METRICS, sum(map(len, parts)))


def test_what_is_listed_stays_and_is_brought_up_to_date(database, run):
    observe(database, run, [*RESULTS, *WEIGHTS])
    before = set(listed(database))
    observe(database, run, [*reversed(WEIGHTS), *RESULTS], last=7.0)

    assert set(listed(database)) == before
    assert {metric.last for metric in listed(database).values()} == {7.0}


def test_a_withdrawn_series_is_no_longer_listed(database, run):
    observe(database, run, [*RESULTS, *WEIGHTS])
    observe(database, run, ["Loss/train"], count=0)

    assert "Loss/train" not in listed(database)


def test_a_scalar_with_a_direction_of_the_user_is_listed_too(database, run):
    observe(database, run, [*RESULTS, *WEIGHTS])
    with database.write() as session:
        commands.say_direction(session, WEIGHTS[-1], Better.LOWER)
        commands.say_direction(session, WEIGHTS[-2], Better.NEITHER)

    assert listed(database)[WEIGHTS[-1]].last == SUMMARY["last"]
    assert WEIGHTS[-2] not in listed(database)
