"""One writer, readers beside it, and what happens where there is no room or no turn."""

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from traindeck.db import engine
from traindeck.db.engine import Database
from traindeck.db.tables import Run
from traindeck.errors import DeckBusy


def count(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(Run.id)).all())


def test_what_was_written_is_read_by_others(database):
    with database.write() as session:
        session.add(Run(name="a"))
        session.flush()
        assert count(database) == 0
    assert count(database) == 1


def test_a_transaction_that_fails_leaves_nothing(database):
    def fail() -> None:
        with database.write() as session:
            session.add(Run(name="a"))
            session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert count(database) == 0


def test_readers_cannot_write(database):
    with pytest.raises(OperationalError, match="readonly"), database.read() as session:
        session.execute(text("DELETE FROM run"))


def test_a_reader_sees_one_state_however_much_is_written_meanwhile(database):
    with database.read() as session:
        assert session.exec(select(Run.id)).all() == []
        with database.write() as writer:
            writer.add(Run(name="a"))
        assert session.exec(select(Run.id)).all() == []
    assert count(database) == 1


def test_writers_take_turns(database):
    def add() -> None:
        for _ in range(10):
            with database.write() as session:
                number = len(session.exec(select(Run.id)).all())
                session.add(Run(name=str(number)))

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert sorted(int(name) for name in session.exec(select(Run.name))) == list(range(80))


def test_a_full_disk_is_an_error_that_passes_once_there_is_room(database):
    with database.write() as session:
        session.add(Run(name="first"))
    limited(database, 1)
    with pytest.raises(OperationalError) as caught, database.write() as session:
        session.add_all(Run(name="x" * 5000) for _ in range(20))
    assert caught.value.orig.sqlite_errorname == "SQLITE_FULL"
    assert count(database) == 1

    limited(database, 1_000_000)
    with database.write() as session:
        session.add(Run(name="x" * 5000))
    assert count(database) == 2


def limited(database: Database, pages: int) -> None:
    with database._writer.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_lock_from_outside_is_waited_for_and_then_an_error(database):
    limited_wait(database)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"), database.write() as session:
            session.exec(select(Run.id))
        other.execute("ROLLBACK")
    with database.write() as session:
        session.add(Run(name="a"))
    assert count(database) == 1


def limited_wait(database: Database) -> None:
    with database._writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 10")


def test_a_turn_that_does_not_come_is_said_to_be_so(database, monkeypatch):
    monkeypatch.setattr(engine, "WRITE_TURN_SECONDS", 0.01)
    with database.write(), pytest.raises(DeckBusy, match="try again"), database.write():
        pass


def test_deleting_a_run_deletes_what_belongs_to_it(database):
    with database.write() as session:
        assert session.connection().exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert session.connection().exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert session.connection().exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_closing_leaves_one_file(database):
    with database.write() as session:
        session.add(Run(name="a"))
    database.close()

    assert [path.name for path in database.path.parent.glob("deck.db*")] == ["deck.db"]
