"""What an attempt writes comes to its run, however often the database could not be written, or the server died."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from events.eventfiles import NAME, scalar, version, write
from support.waiting import wait_for
from traindeck.db.engine import Database
from traindeck.db.tables import Run, ScalarSummary
from traindeck.runs.files import DeckFiles
from traindeck.scheduling import observer as observing
from traindeck.scheduling.observer import Observer

LOCKED = OperationalError("UPDATE run", {}, sqlite3.OperationalError("database is locked"))


@pytest.fixture
def observer(database: Database, files: DeckFiles) -> Iterator[Observer]:
    observer = Observer(database, files)
    yield observer
    let_go(observer)


def let_go(observer: Observer) -> None:
    """As when the server is killed."""
    for watched in observer._watched.values():
        watched.tail.close()


def add_run(database: Database, status: str = "running", attempt: int = 1) -> int:
    with database.write() as session:
        run = Run(name="a", trainer="mnist", status=status, attempt=attempt)
        session.add(run)
        session.flush()
        return run.id or 0


def events_of(files: DeckFiles, run_id: int) -> Path:
    return files.run(run_id).attempt(1).work / NAME


def summaries(database: Database, run_id: int) -> dict[str, tuple[float | None, int]]:
    with database.read() as session:
        chosen = select(ScalarSummary.tag, ScalarSummary.last, ScalarSummary.count)
        rows = session.execute(chosen.where(ScalarSummary.run_id == run_id))
        return {tag: (last, count) for tag, last, count in rows}


def run_of(database: Database, run_id: int) -> Run:
    with database.read() as session:
        return session.get_one(Run, run_id)


def fail_once(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int = 1) -> list[int]:
    """Have the next writes of observations fail; the list counts down."""
    real, left = observing.write_observation, [times]

    def write_observation(session, seen):
        if left[0]:
            left[0] -= 1
            raise error
        real(session, seen)

    monkeypatch.setattr(observing, "write_observation", write_observation)
    monkeypatch.setattr(observing, "ERROR_SECONDS", 0.0)
    return left


@pytest.mark.parametrize("error", [LOCKED, OSError(28, "No space left on device"), ValueError("on purpose")])
@pytest.mark.parametrize("times", [1, 3])
def test_points_that_could_not_be_written_are_written_later(database, files, observer, monkeypatch, error, times):
    run_id = add_run(database)
    write(events_of(files, run_id), version(), scalar("loss", 1, 0.5), scalar("seldom", 1, 2.0))
    files.run(run_id).attempt(1).log.write_text("12345")
    observer.watch(run_id, 1)
    left = fail_once(monkeypatch, error, times)
    observer.tick()
    assert summaries(database, run_id) == {}
    # Only one of the two goes on: of the other there will never be another change.
    write(events_of(files, run_id), scalar("loss", 2, 0.25))
    for _ in range(times):
        observer.tick()
    assert left == [0]
    assert summaries(database, run_id) == {"loss": (0.25, 2), "seldom": (2.0, 1)}
    run = run_of(database, run_id)
    assert (set(run.metrics), run.log_size) == ({"loss", "seldom"}, 5)


def test_a_last_look_that_cannot_be_written_loses_nothing(database, files, observer, monkeypatch):
    run_id = add_run(database)
    observer.watch(run_id, 1)
    write(events_of(files, run_id), version(), scalar("loss", 1, 0.5))
    fail_once(monkeypatch, LOCKED)
    with pytest.raises(OperationalError):
        observer.finish(run_id, 1)
    observer.finish(run_id, 1)
    assert summaries(database, run_id) == {"loss": (0.5, 1)}


def test_one_attempt_that_cannot_be_read_keeps_no_other_from_being_read(database, files, observer, monkeypatch):
    runs = [add_run(database) for _ in range(3)]
    real = observing._columns

    def columns(watched, **options):
        if watched.run_id == runs[1]:
            raise RecursionError("a bar of a hundred thousand brackets")
        return real(watched, **options)

    monkeypatch.setattr(observing, "_columns", columns)
    for run_id in runs:
        write(events_of(files, run_id), version(), scalar("loss", 1, 0.5))
        observer.watch(run_id, 1)
    observer.tick()
    # Its scalars are read all the same.
    assert [summaries(database, run_id) for run_id in runs] == [{"loss": (0.5, 1)}] * 3
    assert "a hundred thousand brackets" in run_of(database, runs[1]).status_reason
    assert run_of(database, runs[0]).status_reason is None
    write(events_of(files, runs[2]), scalar("loss", 2, 0.25))
    observer.tick()
    assert summaries(database, runs[2]) == {"loss": (0.25, 2)}


@pytest.mark.parametrize("recorded", [0, 1])
def test_the_next_server_reads_on_where_a_run_had_ended_unread(database, files, observer, monkeypatch, recorded):
    run_id = add_run(database)
    observer.watch(run_id, 1)
    path = events_of(files, run_id)
    if recorded:
        write(path, version(), scalar("loss", 1, 0.5))
        observer.tick()
    write(path, *[] if recorded else [version()], *(scalar("loss", step, step / 8) for step in range(2, 20)))
    # Read into the store of points, but not written to the database; then the server is killed.
    fail_once(monkeypatch, LOCKED)
    observer.tick()
    let_go(observer)
    with database.write() as session:
        session.get_one(Run, run_id).status = "completed"
    assert summaries(database, run_id) == ({"loss": (0.5, 1)} if recorded else {})
    second = Observer(database, files)
    second.start()
    try:
        expected = {"loss": (19 / 8, 18 + recorded)}
        wait_for(lambda: summaries(database, run_id) == expected, "the summaries are those of the event files")
        wait_for(lambda: not any(files.unread.iterdir()), "nothing is left to read")
    finally:
        second.close()
        let_go(second)


def test_an_attempt_that_was_read_to_its_end_is_not_read_again(database, files, observer):
    run_id = add_run(database)
    observer.watch(run_id, 1)
    write(events_of(files, run_id), version(), scalar("loss", 1, 0.5))
    assert [path.name for path in files.unread.iterdir()] == [f"{run_id}-1"]
    observer.finish(run_id, 1)
    observer.tick()
    assert not any(files.unread.iterdir())
    assert not observer._watched


def test_marks_of_attempts_that_do_not_count_any_more_are_cleared(database, files, observer):
    again, going_on = add_run(database, attempt=2, status="completed"), add_run(database)
    for name in (f"{again}-1", f"{going_on}-1", "99-1", "notes", "1-2-3"):
        (files.unread / name).touch()
    observer.take_up_unread()
    # What goes on is adopted, and watched then.
    assert sorted(path.name for path in files.unread.iterdir()) == sorted([f"{going_on}-1", "notes", "1-2-3"])
    assert not observer._watched


def test_many_series_are_written_in_parts_so_that_others_can_write_between(database, files, observer, monkeypatch):
    monkeypatch.setattr(observing, "WRITE_TOGETHER", 10)
    sizes, real = [], observing.write_observation
    monkeypatch.setattr(
        observing, "write_observation", lambda session, seen: (sizes.append(len(seen.scalars)), real(session, seen))
    )
    run_id = add_run(database)
    write(events_of(files, run_id), version(), *(scalar(f"tag{number}", 1, number) for number in range(25)))
    observer.watch(run_id, 1)
    observer.tick()
    assert sizes == [10, 10, 5]
    assert len(summaries(database, run_id)) == 25


def test_an_attempt_whose_run_was_deleted_is_watched_no_more(database, files, observer):
    run_id = add_run(database)
    observer.watch(run_id, 1)
    files.run(run_id).attempt(1).folder.mkdir(parents=True)
    observer.finish(run_id, 1)
    files.run(run_id).attempt(1).folder.rename(files.home / "gone")
    observer.tick()
    assert not observer._watched
