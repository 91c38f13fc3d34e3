"""Orders and cursors: whoever turns all pages sees each run exactly once."""

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlmodel import Session

from traindeck.db.engine import Database
from traindeck.db.tables import Run, ScalarSummary
from traindeck.errors import InvalidRequest
from traindeck.runs import matching
from traindeck.runs.queries import RunsQuery, list_runs
from traindeck.runs.queue import Capacity
from traindeck.runs.rows import insert_parameters
from traindeck.runs.sorting import parse_cursor, parse_sort
from traindeck.runs.status import Status

COUNT = 240
PAGE = 7
NOTHING = Capacity(1, 0, 0, 0)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = ["created", "id", "name", "status", "trainer", "priority", "started", "finished", "params.lr",
          "params.mixed", "params.none", "metrics.loss", "metrics.loss.min", "metrics.loss.max"]  # fmt: skip
ORDERS = [f"{sign}{field}" for field in FIELDS for sign in ("", "-")]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, fresh: bytes):
    """A database of a few hundred runs with ties and gaps everywhere."""
    path = tmp_path_factory.mktemp("many") / "deck.db"
    path.write_bytes(fresh)
    database = Database(path)
    random = Random(1)
    with database.write() as session:
        for number in range(1, COUNT + 1):
            add_run(session, random, number)
    yield database
    database.close()


def add_run(session: Session, random: Random, number: int) -> None:
    def perhaps(value):
        return random.choice([None, value])

    moment = BEGINNING + timedelta(microseconds=random.randrange(40) * 250_001)
    session.add(
        Run(
            id=number,
            name=f"name-{random.randrange(30)}",
            status=random.choice(list(Status)).value,
            trainer=perhaps(random.choice(["mnist", "tour", "é\n"])),
            priority=random.randrange(-2, 3),
            started_at=perhaps(moment),
            finished_at=perhaps(moment),
        )
    )
    session.flush()
    mixed = random.choice([1, 2.5, "adam", "sgd", None, True])
    insert_parameters(session, number, {"lr": random.choice([0.1, 0.01, 1e-300]), "mixed": mixed, "none": None})
    if random.random() < 0.7:
        loss = random.choice([None, 0.1 + 0.2, 0.3, -1.0])
        session.add(ScalarSummary(run_id=number, tag="loss", last=loss, min=loss, max=loss, step=1, count=1))


def turn_pages(session: Session, sort: str, q: str = "") -> list[list[int]]:
    pages, cursor = [], None
    while cursor is not None or not pages:
        page = list_runs(session, RunsQuery(q, sort, PAGE, cursor), NOTHING)
        pages.append([run.id for run in page.items])
        cursor = page.next_cursor
    return pages


@pytest.mark.parametrize("few", [matching.FEW, 5])
@pytest.mark.parametrize("q", ["params.mixed=adam", "params.mixed=true", "params.mixed=1", "params.mixed>1",
                               "params.lr=0.1", "metrics.loss<0.3", "metrics.loss=0.3", "status:failed"])  # fmt: skip
@pytest.mark.parametrize("sort", ["params.mixed", "-params.mixed", "params.lr", "metrics.loss", "-metrics.loss"])
def test_a_filter_leaves_the_order_as_it_is(many, monkeypatch, sort, q, few):
    monkeypatch.setattr(matching, "FEW", few)
    with many.read() as session:
        matching_runs = {run for page in turn_pages(session, "id", q) for run in page}
        whole = [run for page in turn_pages(session, sort) for run in page]
        found = [run for page in turn_pages(session, sort, q) for run in page]
    assert found == [run for run in whole if run in matching_runs]
    assert found


@pytest.mark.parametrize("sort", ORDERS)
def test_turning_all_pages_shows_each_run_exactly_once(many, sort):
    with many.read() as session:
        pages = turn_pages(session, sort)
        whole = list_runs(session, RunsQuery("", sort, 500), NOTHING)

    seen = [run_id for page in pages for run_id in page]
    assert sorted(seen) == list(range(1, COUNT + 1))
    assert seen == [run.id for run in whole.items]
    assert {len(page) for page in pages[:-1]} == {PAGE}
    assert whole.total == COUNT


def test_a_filter_goes_together_with_every_order(many):
    with many.read() as session:
        wanted = {run_id for page in turn_pages(session, "-created", "status:failed") for run_id in page}
        for sort in ORDERS:
            seen = [run_id for page in turn_pages(session, sort, "status:failed") for run_id in page]
            assert len(seen) == len(wanted)
            assert set(seen) == wanted


def test_runs_without_a_value_come_last_whichever_the_direction(many):
    with many.read() as session:
        for sort in ("finished", "-finished"):
            values = [run.finished_at for run in list_runs(session, RunsQuery("", sort, 500), NOTHING).items]
            valued = [value for value in values if value is not None]
            assert values[len(valued) :] == [None] * (len(values) - len(valued))
            assert valued == sorted(valued, reverse=sort.startswith("-"))


def test_a_parameter_that_is_text_sorts_as_text_after_the_numbers(session, add):
    for value in ["sgd", 2, "adam", None, 1]:
        run = add()
        insert_parameters(session, run.id, {"optimizer": value})
    session.flush()

    def order(sort: str) -> list[int]:
        return [run.id for run in list_runs(session, RunsQuery("", sort), NOTHING).items]

    assert order("params.optimizer") == [5, 2, 3, 1, 4]
    assert order("-params.optimizer") == [2, 5, 1, 3, 4]


@pytest.mark.parametrize("sort", ["created", "-created", "name", "-priority", "finished"])
def test_runs_that_are_added_meanwhile_neither_hide_nor_repeat_others(session, add, sort):
    for number in range(30):
        add(name=f"n{number % 4}", priority=number % 3)
    seen, cursor = [], None
    for _ in range(100):
        page = list_runs(session, RunsQuery("", sort, 4, cursor), NOTHING)
        seen += [run.id for run in page.items]
        add(name="n2", priority=1)
        cursor = page.next_cursor
        if cursor is None or len(seen) > 60:
            break

    assert len(seen) == len(set(seen))
    assert set(range(1, 31)) <= set(seen)


def test_every_order_is_found_by_index_without_sorting(many):
    from traindeck.runs.sorting import valued_page

    with many.read() as session:
        connection = session.connection().connection.driver_connection
        for sort in ORDERS:
            query = valued_page(parse_sort(sort), 0, None, 50).compile(session.get_bind())
            values = [query.params[name] for name in query.positiontup]
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)]
            assert not [step for step in plan if "TEMP B-TREE" in step], (sort, plan)


@pytest.mark.parametrize("sort", ["", "-", "nmae", "params.", "metrics.", "--created", "id; DROP TABLE run"])
def test_an_order_that_there_is_not_is_refused(sort):
    with pytest.raises(InvalidRequest) as caught:
        parse_sort(sort)
    assert caught.value.errors[0].field == "sort"


def test_a_refused_order_names_the_nearest():
    with pytest.raises(InvalidRequest, match="did you mean 'finished'"):
        parse_sort("finishd")


def encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        ("id", "!"),
        ("id", "é"),
        ("id", encoded({})),
        ("id", encoded([0])),
        ("id", encoded([0, "x", 1])),
        ("id", encoded([0, 10**30, 1])),
        ("id", encoded([0, 1, 10**30])),
        ("id", encoded([0, 1, -1])),
        ("id", encoded([2, 1, 1])),
        ("id", encoded([-1, 1, 1])),
        ("id", encoded(["0", 1, 1])),
        ("id", encoded([True, 1, True])),
        ("id", encoded([False, 1, 1])),
        ("id", encoded([0, True, 1])),
        ("id", encoded([0, 1, True])),
        ("id", encoded([0, 1.0, 1])),
        ("id", encoded([0.0, 1, 1])),
        ("priority", encoded([0, False, 1])),
        ("name", encoded([0, ["a"], 1])),
        ("params.lr", encoded([0, True, 1])),
        ("params.lr", encoded([0, "1", 1])),
        ("params.lr", encoded([0, math.nan, 1])),
        ("metrics.loss", encoded([0, [1.0], 1])),
        ("id", encoded("abc")),
        ("id", encoded({"a": 0, "b": 0, "c": 0})),
        ("name", encoded([0, 1, 1])),
        ("name", encoded([0, "\ud800", 1])),
        ("finished", encoded([0, "yesterday", 1])),
        ("finished", encoded([0, "2026-01-01T00:00:00", 1])),
        ("finished", encoded([0, "0001-01-01T00:00:00+14:00", 1])),
        ("params.lr", encoded([0, None, 1])),
        ("params.lr", encoded([0, 10**400, 1])),
        ("id", base64.urlsafe_b64encode(b"[" * 100_000).decode()),
    ],
)
def test_a_cursor_that_was_not_made_by_this_list_is_refused(sort, cursor):
    with pytest.raises(InvalidRequest) as caught:
        parse_cursor(cursor, parse_sort(sort))
    assert caught.value.errors[0].field == "cursor"
