"""What goes wrong for one attempt stays with it: the others go on, and the one says why."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from support.scheduling import Scheduler
from traindeck.db import engine
from traindeck.db.engine import Database
from traindeck.runs.files import DeckFiles
from traindeck.scheduling import attempts, dispatcher, observer
from traindeck.scheduling.live import LiveAttempt

FAULTY = 2
GOING_ON = (1, 3)


class Injected(Exception):
    pass


@pytest.fixture
def deck(files: DeckFiles, database: Database) -> Iterator[Scheduler]:
    scheduler = Scheduler(files, database)
    yield scheduler
    scheduler.close()


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have a function raise wherever it is called for the faulty run, for as long as `lasts` says."""

    def fail(
        holder: Any,
        name: str,
        is_faulty: Callable[..., bool],
        error: Exception | None = None,
        lasts: Callable[[], bool] = lambda: True,
    ) -> None:
        real = getattr(holder, name)

        def replaced(*args: Any, **options: Any) -> Any:
            if is_faulty(*args) and lasts():
                raise error or Injected("on purpose")
            return real(*args, **options)

        monkeypatch.setattr(holder, name, replaced)

    return fail


def is_run(_self: Any, run: Any, *_: Any) -> bool:
    return getattr(run, "run_id", run) == FAULTY


def moves_to(status: str) -> Callable[..., bool]:
    return lambda _session, run, to, *_: run.id == FAULTY and to == status


BEFORE_THE_PROCESS = {
    "claim": lambda deck: (deck.attempts.slots, "take", lambda run_id, *_: run_id == FAULTY),
    "claim's write": lambda deck: (attempts.transitions, "move", moves_to("starting")),
    "order": lambda deck: (attempts, "write_order", lambda *args: args[5].run_id == FAULTY),
    "launch": lambda deck: (deck.launcher, "launch", lambda order: f"/{FAULTY}/" in str(order)),
}
AT_THE_START = {
    "finding the process": lambda deck: (LiveAttempt, "find", lambda live, _record: live.run_id == FAULTY),
    "start": lambda deck: (attempts.transitions, "move", moves_to("running")),
    "the end of the start": lambda deck: (
        attempts.Attempts,
        "_update_attempt",
        lambda _self, _session, live: live.run_id == FAULTY and not live.start_recorded,
    ),
    "watching": lambda deck: (observer.Observer, "watch", is_run),
    "observing": lambda deck: (observer, "_columns", lambda watched: watched.run_id == FAULTY),
    "observing's write": lambda deck: (observer, "write_observation", lambda _session, seen: seen.run_id == FAULTY),
}
AT_THE_END = {
    "the last look": lambda deck: (observer.Observer, "finish", is_run),
    "what the end means": lambda deck: (attempts, "outcome_of", lambda ending, **_: ending.exit_code == 7),
    "the end's write": lambda deck: (attempts.transitions, "move", moves_to("failed")),
}


@pytest.mark.parametrize("step", BEFORE_THE_PROCESS)
def test_a_run_that_cannot_be_started_fails_with_the_reason(deck, fail, step):
    fail(*BEFORE_THE_PROCESS[step](deck))
    for _ in range(3):
        deck.queue()
    deck.until_running(*GOING_ON)
    run = deck.until(FAULTY, "failed")
    assert "could not be" in run.status_reason
    assert "Injected: on purpose" in run.status_reason
    assert FAULTY not in deck.launcher.processes
    deck.tick_until(lambda: deck.attempts.slots.capacity.free_cpus == 1, "its slot is free")
    for run_id in GOING_ON:
        deck.end(run_id)
        deck.until(run_id, "completed")


@pytest.mark.parametrize("step", AT_THE_START)
def test_a_run_whose_start_or_output_cannot_be_taken_in_goes_on_and_says_so(deck, fail, step):
    fail(*AT_THE_START[step](deck))
    for _ in range(3):
        deck.queue()
    deck.until_running(*GOING_ON)
    if step != "watching":
        deck.tick_until(lambda: "Injected: on purpose" in (deck.run(FAULTY).status_reason or ""), "it says why")
    deck.until(FAULTY, "starting" if step == "start" else "running")
    for run_id in GOING_ON:
        deck.end(run_id)
        deck.until(run_id, "completed")
    assert deck.run(FAULTY).status in ("starting", "running")
    deck.end(FAULTY, 7)
    assert deck.until(FAULTY, "failed").exit_code == 7


@pytest.mark.parametrize("step", AT_THE_END)
def test_an_end_that_cannot_be_recorded_is_one_all_the_same(deck, fail, step):
    for _ in range(3):
        deck.queue()
    deck.until_running(1, 2, 3)
    fail(*AT_THE_END[step](deck))
    deck.end(FAULTY, 7)
    run = deck.until(FAULTY, "failed", "lost")
    if step == "the last look":
        assert (run.status, run.exit_code) == ("failed", 7)
    else:
        assert run.status == "lost"
        assert "Injected: on purpose" in run.status_reason
    for run_id in GOING_ON:
        deck.end(run_id)
        deck.until(run_id, "completed")
    deck.tick_until(lambda: deck.attempts.slots.capacity.free_cpus == 3, "the slots are free again")


def test_nothing_is_final_while_what_a_killed_shim_left_cannot_be_looked_for(deck, fail):
    for _ in range(3):
        deck.queue()
    deck.until_running(1, 2, 3)
    blocked = threading.Event()
    mark = deck.attempts.live[FAULTY].mark
    fail(attempts, "marked", lambda one: one == mark, lasts=lambda: not blocked.is_set())
    deck.kill(FAULTY)
    for run_id in GOING_ON:
        deck.end(run_id)
        deck.until(run_id, "completed")
    assert deck.run(FAULTY).status == "running"
    deck.tick_until(lambda: deck.attempts.slots.capacity.free_cpus == 2, "the others' slots are free")
    blocked.set()
    assert deck.until(FAULTY, "lost")


def test_a_stop_that_fails_is_tried_again_and_holds_up_no_other(deck, fail, monkeypatch):
    monkeypatch.setattr(dispatcher, "ERROR_SECONDS", 0.05)
    for _ in range(3):
        deck.queue()
    deck.until_running(1, 2, 3)
    passed = threading.Event()
    fail(LiveAttempt, "signal_shim", lambda live, _number: live.run_id == FAULTY, lasts=lambda: not passed.is_set())
    for run_id in (1, 2, 3):
        with deck.database.write() as session:
            session.execute(text("UPDATE run SET status = 'stopping' WHERE id = :id"), {"id": run_id})
        deck.dispatcher.stop_run(run_id)
    for run_id in GOING_ON:
        deck.until(run_id, "cancelled")
    deck.tick_until(lambda: "Injected: on purpose" in (deck.run(FAULTY).status_reason or ""), "it says why")
    passed.set()
    deck.until(FAULTY, "cancelled")


def test_an_attempt_that_cannot_be_given_up_holds_up_no_other(deck, fail, monkeypatch):
    monkeypatch.setattr(
        deck.launcher,
        "launch",
        lambda order, real=deck.launcher.launch: None if f"/{FAULTY}/" in str(order) else real(order),
    )
    fail(attempts, "give_up_attempt", lambda folder: f"/{FAULTY}/" in str(folder))
    for _ in range(3):
        deck.queue()
    deck.until_running(*GOING_ON)
    monkeypatch.setattr(dispatcher, "START_TIMEOUT_SECONDS", 0.0)
    deck.tick_until(lambda: "Injected: on purpose" in (deck.run(FAULTY).status_reason or ""), "it says why")
    for run_id in GOING_ON:
        deck.end(run_id)
        deck.until(run_id, "completed")


def damage_record(deck: Scheduler) -> None:
    deck.attempt_files(FAULTY).process.write_text('{"shim": {"pid": "x"}}')


def tear_record(deck: Scheduler) -> None:
    deck.attempt_files(FAULTY).process.write_text('{"shim": {"pi')


def damage_times(deck: Scheduler) -> None:
    path = deck.attempt_files(FAULTY).process
    path.write_text(json.dumps({**json.loads(path.read_text()), "started_at": 1e300}))


def forget_attempt(deck: Scheduler) -> None:
    write(deck, "DELETE FROM attempt WHERE run_id = 2")


def damage_gpus(deck: Scheduler) -> None:
    write(deck, "UPDATE attempt SET gpu_indices = '[' WHERE run_id = 2")


def damage_row(deck: Scheduler) -> None:
    write(deck, "UPDATE run SET metrics = '[' WHERE id = 2")


def write(deck: Scheduler, statement: str) -> None:
    with closing(sqlite3.connect(deck.files.database)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("damage", [damage_record, tear_record, damage_times, forget_attempt, damage_gpus, damage_row])
def test_the_next_server_starts_whatever_was_left_of_one_attempt(deck, database, damage, ended):
    for _ in range(3):
        deck.queue()
    deck.until_running(1, 2, 3)
    if ended:
        deck.end(FAULTY, 7)
    damage(deck)
    deck.let_go()
    second = Scheduler(deck.files, Database(database.path), launcher=deck.launcher)
    second.adopt()
    try:
        assert second.attempts.slots.capacity.free_cpus in (0, 1)
        for run_id in GOING_ON:
            second.end(run_id)
            second.until(run_id, "completed")
        if damage is damage_row:
            write(deck, "UPDATE run SET metrics = '{}' WHERE id = 2")
        if not ended:
            assert second.run(FAULTY).status == "running"
            second.end(FAULTY, 7)
        assert second.until(FAULTY, "failed", "lost").status in ("failed", "lost")
        if damage is not damage_row:
            assert second.run(FAULTY).exit_code == 7
    finally:
        second.close()
        second.database.close()


@pytest.mark.parametrize("step", [*AT_THE_START, *AT_THE_END])
def test_a_database_that_is_locked_for_a_while_costs_nothing_but_time(deck, fail, monkeypatch, step):
    monkeypatch.setattr(dispatcher, "ERROR_SECONDS", 0.02)
    monkeypatch.setattr(observer, "ERROR_SECONDS", 0.02)
    locked = OperationalError("UPDATE run", {}, sqlite3.OperationalError("database is locked"))
    left = [3]

    def lasts() -> bool:
        left[0] -= 1
        return left[0] >= 0

    fail(*(AT_THE_START | AT_THE_END)[step](deck), error=locked, lasts=lasts)
    for _ in range(3):
        deck.queue()
    deck.until_running(1, 2, 3)
    deck.attempt_files(FAULTY).log.write_text("four")
    for run_id, code in ((1, 0), (FAULTY, 7), (3, 0)):
        deck.end(run_id, code)
        deck.until(run_id, "completed" if run_id in GOING_ON else "failed")
    run = deck.run(FAULTY)
    assert left[0] < 3
    assert (run.exit_code, run.status_reason) == (7, "exit code 7")
    assert run.log_size == 4
    assert deck.attempt(FAULTY).started_at is not None
    assert deck.history(FAULTY) == ["starting", "running", "failed"]


def test_a_start_that_meets_a_locked_database_is_recorded_later(deck, monkeypatch):
    """Row 15 and 33, with a real lock: the run is running, observed and recorded once the lock is gone."""
    monkeypatch.setattr(dispatcher, "ERROR_SECONDS", 0.02)
    recorded: list[int] = []
    deck.attempts.on_started.append(lambda run_id, _number: recorded.append(run_id))
    run_id = deck.queue()
    deck.tick_until(lambda: deck.launcher.processes, "it has a process")
    with closing(sqlite3.connect(deck.files.database, isolation_level=None)) as outside:
        outside.execute("BEGIN IMMEDIATE")
        failures = deck.attempts.live[run_id]
        with deck.database._writer.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA busy_timeout = 10")
            connection.rollback()
        deck.tick_until(lambda: failures.failures > 1, "its start could not be written")
        assert deck.run(run_id).status == "starting"
        outside.execute("ROLLBACK")
    deck.until_running(run_id)
    deck.attempt_files(run_id).log.write_text("twelve bytes")
    deck.tick_until(lambda: deck.run(run_id).log_size == 12, "it is observed")
    assert recorded == [run_id]
    assert deck.run(run_id).status == "running"


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (OSError(28, "No space left on device"), True),
        (OSError("something else"), False),
        (FileNotFoundError(2, "No such file"), False),
        (OperationalError("", {}, sqlite3.OperationalError("database is locked")), True),
        (sqlite3.OperationalError("database or disk is full"), False),
        (KeyError("shim"), False),
    ],
)
def test_only_what_may_succeed_later_is_repeated_without_a_word(error, temporary):
    assert engine.is_temporary(error) is temporary


def test_a_step_that_is_slow_for_one_attempt_holds_up_no_other(deck, monkeypatch):
    """Row 36: as long as the one's end does not return, others start, stop and end."""
    gate = threading.Event()
    real = attempts.read_exit
    monkeypatch.setattr(
        attempts,
        "read_exit",
        lambda folder: gate.wait(60) and real(folder) if f"/{FAULTY}/" in str(folder) else real(folder),
    )
    for _ in range(4):
        deck.queue()
    deck.until_running(1, 2, 3)
    deck.end(FAULTY)
    deck.end(1)
    deck.until_running(4)
    deck.end(4)
    deck.until(4, "completed")
    deck.tick_until(lambda: deck.attempts.slots.capacity.free_cpus == 1, "the others' slots are free")
    assert deck.run(FAULTY).status == "running"
    gate.set()
    deck.until(FAULTY, "completed")
