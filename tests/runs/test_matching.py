"""Every way to a page gives the same page: few runs looked up, the order walked, whole sets intersected."""

from random import Random

import pytest

from traindeck.db.engine import Database
from traindeck.db.tables import Run, RunTag, ScalarSummary
from traindeck.runs import matching, sorting
from traindeck.runs.filters import parse_filter
from traindeck.runs.queries import RunsQuery, list_runs, newest_matching
from traindeck.runs.queue import Capacity
from traindeck.runs.rows import insert_parameters
from traindeck.runs.status import Status

COUNT = 90
PAGE = 40
NOTHING = Capacity(1, 0, 0, 0)
SORTS = [
    "-created",
    "name",
    "-status",
    "-finished",
    "params.mixed",
    "-params.mixed",
    "metrics.loss",
    "-metrics.acc.max",
]
FILTERS = [
    "metrics.loss<0.5", "metrics.loss<0.5 metrics.acc>0.5", "metrics.loss<0.5 metrics.acc>0.5 tag:b", "tag!=a",
    "params.mixed:1", "params.mixed!=1 run", "params.mixed:adam", "status!=failed metrics.acc<0.9", "r u n",
    "id>100 id<=200", "is:diverged", "is!=diverged tag:a", "trainer!=mnist exit_code:0", "metrics.loss>=0 metrics.loss<0",
    "attempt>1 priority<2", "name>run-2", "status:completed", "é", "RUN-1", "17", "params.mixed<2 metrics.acc.max>0.3",
    "metrics.acc.max<0.6 priority>=0 metrics.acc.max>0.1",
]  # fmt: skip


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, fresh: bytes):
    path = tmp_path_factory.mktemp("crowd") / "deck.db"
    path.write_bytes(fresh)
    database = Database(path)
    random = Random(2)
    numbers = sorted(random.sample(range(1, 100_000), COUNT))
    with database.write() as session:
        for number in numbers:
            session.add(
                Run(
                    id=number,
                    name=f"run-{random.randrange(40)}" + random.choice(["", "é"]),
                    status=random.choice(list(Status)).value,
                    trainer=random.choice([None, "mnist", "tour"]),
                    priority=random.randrange(3),
                    attempt=random.randrange(3),
                    exit_code=random.choice([None, 0, 1]),
                )
            )
        session.flush()
        for number in numbers:
            insert_parameters(session, number, {"mixed": random.choice([1, 2.5, "adam", "sgd", None, True, "1"])})
            session.add_all(RunTag(run_id=number, tag=tag) for tag in ("a", "b") if random.random() < 0.6)
            for tag in ("loss", "acc"):
                if random.random() < 0.8:
                    last = random.choice([None, random.random()])
                    session.add(
                        ScalarSummary(run_id=number, tag=tag, last=last, min=last, max=random.random(), step=1, count=1)
                    )
    yield database
    database.close()


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch):
    """As with a hundred thousand runs: few are few, and walks are short."""
    for name, value in (("FEW", 12), ("FIRST_RANGE", 500)):
        monkeypatch.setattr(matching, name, value)
    for name, value in (("FIRST_WALK", 4), ("LONGEST_WALK", 20), ("FIRST_READ", 500)):
        monkeypatch.setattr(sorting, name, value)


def pages(database: Database, q: str, sort: str) -> tuple[list[list[int]], set[int]]:
    found, totals, cursor = [], set(), None
    with database.read() as session:
        while cursor is not None or not found:
            page = list_runs(session, RunsQuery(q, sort, PAGE, cursor), NOTHING)
            found.append([run.id for run in page.items])
            totals.add(page.total)
            assert page.total_exact
            cursor = page.next_cursor
    return found, totals


@pytest.fixture(scope="module")
def expected(crowd) -> dict[tuple[str, str], tuple[list[list[int]], set[int]]]:
    return {(q, sort): pages(crowd, q, sort) for q in FILTERS for sort in SORTS}


def test_small_decks_and_large_ones_list_the_same(crowd, expected, tight):
    for (q, sort), listed in expected.items():
        assert pages(crowd, q, sort) == listed, (q, sort)


@pytest.mark.parametrize("q", FILTERS)
def test_every_order_lists_the_same_runs(expected, q):
    listed = [sorted(run_id for page in expected[q, sort][0] for run_id in page) for sort in SORTS]
    assert all(one == listed[0] for one in listed)
    assert {total for sort in SORTS for total in expected[q, sort][1]} == {len(listed[0])}
    assert len(set(listed[0])) == len(listed[0])


def test_conditions_mean_what_they_mean_one_by_one(expected):
    def ids(q: str) -> set[int]:
        return {run_id for page in expected[q, "-created"][0] for run_id in page}

    assert (
        ids("metrics.loss<0.5 metrics.acc>0.5 tag:b")
        < ids("metrics.loss<0.5 metrics.acc>0.5")
        < ids("metrics.loss<0.5")
    )
    assert ids("is:diverged").isdisjoint(ids("is!=diverged tag:a"))
    assert all(100 < run_id <= 200 for run_id in ids("id>100 id<=200"))
    assert ids("metrics.loss>=0 metrics.loss<0") == set()


def test_several_conditions_are_counted_as_far_as_is_quick(crowd, tight, monkeypatch):
    monkeypatch.setattr(matching, "MOST_LOOKED_AT", 1)
    monkeypatch.setattr(sorting, "LONGEST_WALK", 1000)
    # As if none of the sets were in memory, and there were no time to read one.
    monkeypatch.setattr(matching, "MOST_READ", -1)
    q = "metrics.loss>=0 priority>=0"
    with crowd.read() as session:
        page = list_runs(session, RunsQuery(q, "-created", 5), NOTHING)
        assert (page.total_exact, page.total) == (False, 6)
        monkeypatch.setattr(matching, "MOST_LOOKED_AT", 10**9)
        whole = list_runs(session, RunsQuery(q, "-created", 5), NOTHING)
    assert whole.total_exact
    assert whole.total > 6
    assert [run.id for run in whole.items] == [run.id for run in page.items]


@pytest.mark.parametrize("sort", ["-metrics.acc.max", "metrics.acc.max"])
def test_the_index_of_the_order_is_walked_within_the_range_of_the_filter(crowd, tight, monkeypatch, sort):
    monkeypatch.setattr(matching, "MOST_READ", -1)
    bound = "<0.3" if sort.startswith("-") else ">0.7"
    with crowd.read() as session:
        selection = matching.Selection(session, parse_filter(f"metrics.acc.max{bound} priority>=0").conditions(session))
        found = sorting.Pager(selection, sorting.parse_sort(sort), 3).page(None)
    assert len(found) == 3
    assert selection.known is None, "the whole sets were read"


def test_many_matches_are_counted_up_to_a_bound(crowd, tight, monkeypatch):
    monkeypatch.setattr(matching, "COUNTED", 13)
    monkeypatch.setattr(sorting, "LONGEST_WALK", 1000)
    with crowd.read() as session:
        for q, exact in (("metrics.loss<0.5", False), ("run", False), ("tag:a metrics.acc<0.01", True), ("", True)):
            page = list_runs(session, RunsQuery(q, "-created", 5), NOTHING)
            assert page.total_exact is exact, q
            assert exact or page.total == 13
        by_status = list_runs(session, RunsQuery("status:completed", "-created", PAGE), NOTHING)
        assert by_status.total_exact
        runs, total, exact = newest_matching(session, "run", 5)
        assert (len(runs), total, exact) == (5, 13, False)
