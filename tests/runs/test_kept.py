"""Sets of runs kept in memory stay right while runs change, come and go."""

from random import Random

import pytest
from sqlmodel import select

from traindeck.db.answers import CHANGED_RUNS, Memory
from traindeck.db.engine import MEMORY, Database
from traindeck.db.tables import Run, RunTag, ScalarSummary
from traindeck.runs import matching
from traindeck.runs.filters import parse_filter
from traindeck.runs.matching import find_kept
from traindeck.runs.queries import RunsQuery, list_runs
from traindeck.runs.queue import Capacity
from traindeck.runs.rows import insert_parameters

FILTERS = [
    "metrics.loss<0.5 tag!=a", "metrics.loss<=0.5 metrics.loss>0.1", "metrics.loss>=0.25", "metrics.loss=0.5",
    "metrics.loss!=0.5", "params.mixed:1 metrics.acc<2", "params.mixed>=2", "params.mixed<b", "is:diverged status:queued",
    "is!=diverged tag:a", "name>run-2 name<=run-30", "attempt>0 attempt<3", "17 run", "é run", "trainer!=mnist",
    "id>20 tag:b", "metrics.loss<0.5 metrics.loss>=0.5", "metrics.acc>inf", "metrics.loss.min>0.3 run",
]  # fmt: skip


@pytest.fixture
def deck(tmp_path, fresh: bytes):
    path = tmp_path / "deck.db"
    path.write_bytes(fresh)
    database = Database(path)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def tight(monkeypatch: pytest.MonkeyPatch):
    for name, value in (("SMALLEST_BLOCK", 4), ("FEW", 3), ("LOOKED_UP", 1)):
        monkeypatch.setattr(matching, name, value)


def add_runs(database: Database, numbers: range, random: Random) -> None:
    with database.write() as session:
        for number in numbers:
            session.add(
                Run(
                    id=number,
                    name=f"run-{random.randrange(40)}" + random.choice(["", "é"]),
                    trainer=random.choice([None, "mnist", "tour"]),
                    attempt=random.randrange(4),
                )
            )
        session.flush()
        for number in numbers:
            insert_parameters(session, number, {"mixed": random.choice([1, 2.5, "adam", "sgd", None, True, "1"])})
            session.add_all(RunTag(run_id=number, tag=tag) for tag in ("a", "b") if random.random() < 0.6)
            for tag in ("loss", "acc"):
                last = random.choice([None, 0.5, random.random()])
                session.add(ScalarSummary(run_id=number, tag=tag, last=last, min=last, max=1, step=1, count=1))


def ways(database: Database, q: str) -> tuple[set[int], set[int]]:
    """What fits as it is kept, and as the database says it of each run."""
    with database.read() as session:
        conditions = parse_filter(q).conditions(session)
        found = find_kept(session, conditions)
        assert found is not None
        fit = set(range(1, 1000))
        for condition in conditions:
            fit = condition.among(session, fit)
        fit &= set(session.execute(select(Run.id)).scalars())
        assert len(found) == len(set(found))
        return set(found), fit


def test_an_empty_deck_lists_nothing(deck):
    with deck.read() as session:
        page = list_runs(session, RunsQuery("metrics.loss<1 tag:a run"), Capacity(1, 0, 0, 0))
        assert (page.items, page.total, page.total_exact) == ([], 0, True)


@pytest.mark.parametrize("q", FILTERS)
def test_kept_sets_follow_every_change(deck, q):
    random = Random(q)
    add_runs(deck, range(1, 60), random)
    for change in range(3):
        found, fit = ways(deck, q)
        assert found == fit, change
        with deck.write() as session:
            run = session.get(Run, random.randrange(10, 50))
            if run is not None:
                run.name, run.attempt, run.trainer = random.choice(["run-3", "ride-17"]), change, "tour"
            summary = session.get(ScalarSummary, ("loss", random.randrange(1, 10)))
            if summary is not None:
                summary.last, summary.min = random.choice([(None, None), (0.1, 0.9), (0.5, 0.5)])
        with deck.write() as session:
            gone = session.get(Run, 50 + change)
            assert gone is not None
            session.delete(gone)
        add_runs(deck, range(60 + change, 61 + change), random)


def test_the_list_is_the_same_from_memory(deck, monkeypatch):
    add_runs(deck, range(1, 80), Random(5))
    nothing = Capacity(1, 0, 0, 0)

    def listed(q: str, sort: str) -> tuple[list[int], int]:
        with deck.read() as session:
            page = list_runs(session, RunsQuery(q, sort, 10), nothing)
            return [run.id for run in page.items], page.total

    kept_lists = {(q, sort): listed(q, sort) for q in FILTERS for sort in ("-created", "metrics.acc", "-name")}
    monkeypatch.setattr(matching, "LARGEST_KEPT", 1)
    for (q, sort), expected in kept_lists.items():
        assert listed(q, sort) == expected, (q, sort)


def test_a_reader_that_began_before_a_change_does_not_hide_it(deck):
    add_runs(deck, range(1, 20), Random(1))
    with deck.read() as early:
        before = find_kept(early, parse_filter("metrics.loss=0.75").conditions(early))
        with deck.write() as session:
            summary = session.get(ScalarSummary, ("loss", 7))
            assert summary is not None
            summary.last = 0.75
        # What this transaction reads is older than the change; it must not be kept as if it were not.
        found = find_kept(early, parse_filter("metrics.acc=0.5 metrics.loss=0.75").conditions(early))
        assert before is not None
        assert found is not None
        assert len(before) == len(found) == 0
    found_now, fit = ways(deck, "metrics.loss=0.75")
    assert found_now == fit == {7}


def test_a_request_reads_few_sets_anew(deck):
    add_runs(deck, range(1, 30), Random(3))
    q = "metrics.loss<2 metrics.acc<2 metrics.loss.min<2 metrics.acc.min<2 metrics.loss.max<2 metrics.acc.max<2"
    with deck.read() as session:
        assert find_kept(session, parse_filter(q).conditions(session)) is None
    for _ in range(4):
        with deck.read() as session:
            list_runs(session, RunsQuery(q), Capacity(1, 0, 0, 0))
            assert session.info[MEMORY].read <= matching.MOST_READ
    found, fit = ways(deck, q)
    assert found == fit


def test_memory_is_bounded_and_drops_what_has_changed_much(monkeypatch):
    monkeypatch.setattr("traindeck.db.answers.KEPT_RUNS", 100)
    memory = Memory()
    for key in range(5):
        memory.keep(key, key, 40, memory.position)
    assert [key for key in range(5) if memory.recall(key)] == [3, 4]
    memory.mark_changed([1, 2])
    assert memory.recall(4) == (4, {1, 2})
    memory.keep(4, "late", 40, 0)
    assert memory.recall(4) == ("late", {1, 2})
    memory.mark_changed(range(CHANGED_RUNS + 1))
    assert memory.recall(4) is None
