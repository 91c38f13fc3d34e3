"""Which run starts next, and what each of the others is told."""

import pytest
from sqlalchemy import event, insert

from traindeck.db.engine import Database
from traindeck.db.tables import Run
from traindeck.runs.queue import Capacity, next_run, queue_positions, waiting_reason

ALL_FREE = Capacity(cpus=2, gpus=2, free_cpus=2, free_gpus=2)
NO_GPU_FREE = Capacity(cpus=2, gpus=2, free_cpus=2, free_gpus=0)


def test_nothing_is_next_in_an_empty_queue(session):
    assert next_run(session, ALL_FREE) is None


def test_runs_start_in_order_of_their_numbers(session, add):
    first, _second = add(), add()

    assert next_run(session, ALL_FREE) is first


def test_a_higher_priority_starts_before_an_earlier_run(session, add):
    _early, urgent, _late = add(), add(priority=5), add(priority=5)

    assert next_run(session, ALL_FREE) is urgent


@pytest.mark.parametrize("status", ["starting", "running", "stopping", "completed", "failed", "cancelled", "lost"])
def test_only_queued_runs_start(session, add, status):
    add(status=status, priority=9)

    assert next_run(session, ALL_FREE) is None


def test_nothing_starts_while_no_cpu_is_free(session, add):
    add()

    assert next_run(session, Capacity(2, 0, 0, 0)) is None


def test_a_run_that_waits_for_a_gpu_does_not_hold_up_one_that_wants_none(session, add):
    _gpu, cpu = add(gpus=1, priority=9), add()

    assert next_run(session, NO_GPU_FREE) is cpu


def test_a_run_that_waits_for_gpus_is_not_overtaken_by_a_later_one_that_wants_fewer(session, add):
    add(gpus=2), add(gpus=1)

    assert next_run(session, Capacity(2, 2, 2, 1)) is None


def test_a_run_that_waits_for_cpus_is_not_overtaken_by_a_later_one_that_wants_fewer(session, add):
    add(cpus=2), add(cpus=1)

    assert next_run(session, Capacity(2, 0, 1, 0)) is None


def test_a_run_that_waits_for_gpus_and_cpus_gives_way_until_its_gpu_is_free(session, add):
    both, small = add(cpus=2, gpus=1), add()

    assert next_run(session, Capacity(2, 1, 1, 0)) is small
    assert next_run(session, Capacity(2, 1, 1, 1)) is None
    assert next_run(session, Capacity(2, 1, 2, 1)) is both


def test_a_run_that_wants_more_than_there_is_holds_up_nobody(session, add):
    _too_many_cpus, _too_many_gpus, fits = add(cpus=64), add(gpus=64), add()

    assert next_run(session, ALL_FREE) is fits


def test_the_place_in_the_queue_counts_priority_then_number(session, add):
    low, first, second, running = add(), add(priority=1), add(priority=1), add(status="running")

    ids = [run.id for run in (low, first, second, running)]
    assert queue_positions(session, ids) == {first.id: 1, second.id: 2, low.id: 3}


def test_a_place_can_be_asked_for_alone(session, add):
    _first, second = add(), add()

    assert queue_positions(session, [second.id]) == {second.id: 2}


@pytest.mark.parametrize(
    ("wants", "capacity", "says"),
    [
        ({"gpus": 1}, Capacity(2, 1, 2, 0), "1 GPU: the only one is in use"),
        ({"gpus": 2}, Capacity(2, 4, 2, 1), "2 GPUs: 1 of 4 is free"),
        ({"gpus": 3}, Capacity(2, 4, 2, 2), "3 GPUs: 2 of 4 are free"),
        ({"cpus": 2}, Capacity(2, 0, 0, 0), "2 CPU slots: all 2 are in use"),
        ({"cpus": 3}, Capacity(2, 0, 2, 0), "more than this machine has: it has 2 CPU and 0 GPU slots for runs"),
        ({}, Capacity(2, 0, 2, 0), "nothing: it starts in a moment"),
    ],
)
def test_a_queued_run_says_what_it_waits_for(add, wants, capacity, says):
    assert waiting_reason(add(**wants), capacity, 1) == says


def test_a_run_that_would_fit_says_that_others_are_ahead_of_it(add):
    assert waiting_reason(add(), ALL_FREE, 3) == "its turn: runs ahead of it in the queue start first"


def test_claiming_and_counting_among_ten_thousand_queued_look_into_an_index_only(database: Database):
    with database.write() as session:
        rows = [{"id": n + 1, "name": "a", "priority": n % 3, "gpus": (n + 1) % 2} for n in range(10_000)]
        session.execute(insert(Run), rows)
    asked = []
    event.listen(
        database._readers, "before_cursor_execute", lambda _c, _u, sql, values, *_: asked.append((sql, values))
    )

    with database.read() as session:
        assert next_run(session, NO_GPU_FREE).id == 6
        assert queue_positions(session, [10_000]) == {10_000: 10_000}
        connection = session.connection().connection.driver_connection
        queries = [(sql, values) for sql, values in asked if sql.startswith("SELECT")]
        plans = [row[3] for sql, values in queries for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert len(queries) == 5
    assert not [step for step in plans if step.startswith("SCAN") or "TEMP B-TREE" in step]
    assert [
        step for step in plans if "ix_run_queue" not in step and "SUBQUERY" not in step and "rowid" not in step
    ] == []
