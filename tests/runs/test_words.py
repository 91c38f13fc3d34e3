"""What words find, as names, trainers, notes and tags change; with the full-text index and without."""

import sqlite3
from contextlib import closing

import pytest
from sqlmodel import Session

from traindeck.db import derived
from traindeck.db.engine import Database
from traindeck.db.migrate import migrate
from traindeck.db.tables import STATUSES, Run, RunTag
from traindeck.runs import commands
from traindeck.runs.queries import RunsQuery, count_by_status, list_runs
from traindeck.runs.queue import Capacity

NOTHING = Capacity(1, 0, 0, 0)


def forget_full_text(patch):
    """Be a SQLite that has no FTS5."""
    for name in ("traindeck.db.derived", "traindeck.runs.words"):
        patch.setattr(f"{name}.has_full_text", lambda: False)


@pytest.fixture(scope="module", params=["indexed", "plain"])
def empty(request, tmp_path_factory):
    """Which SQLite it is, and the file of a new database that was made by it."""
    path = tmp_path_factory.mktemp("empty") / "deck.db"
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "plain":
            forget_full_text(patch)
        migrate(path)
    return request.param, path.read_bytes()


@pytest.fixture
def database(empty, tmp_path, monkeypatch):
    """A new database, where SQLite has FTS5 and where it has not."""
    kind, content = empty
    if kind == "plain":
        forget_full_text(monkeypatch)
    (tmp_path / "deck.db").write_bytes(content)
    database = Database(tmp_path / "deck.db")
    yield database
    database.close()


def found(session: Session, text: str) -> list[int]:
    return [run.id for run in list_runs(session, RunsQuery(text, "created"), NOTHING).items]


def test_words_follow_every_change_of_a_run(database):
    with database.write() as session:
        session.add_all([Run(name="quiet-otter", notes="Too hot"), Run(name="bold-fox", trainer="mnist")])
        session.flush()
        session.add_all([RunTag(run_id=1, tag="baseline"), RunTag(run_id=1, tag="second")])
    with database.write() as session:
        assert [found(session, word) for word in ("OTTER", "hot", "base", "sec", "mnist")] == [
            [1], [1], [1], [1], [2],
        ]  # fmt: skip
        commands.edit(session, 1, {"name": "loud-lion", "notes": "cold", "tags": ["third", "base"]})
        assert [found(session, word) for word in ("otter", "hot", "line", "second", "lion", "cold", "third")] == [
            [], [], [], [], [1], [1], [1],
        ]  # fmt: skip
        commands.edit(session, 2, {"tags": ["third"]})
        assert found(session, "third") == [1, 2]
        session.delete(session.get(Run, 1))
        session.flush()
        assert found(session, "third") == [2]
        assert found(session, "lion") == []


WORDS = {
    "é": [1], "日本": [1], "本": [1], "日本語": [1], "r": [1, 2, 3], "ox": [2], "-f": [2], "x": [2], "zz": [], '"': [3],
    'a"b': [3], "%": [3], "_": [3], "a*": [3], "NEAR(": [3], "or": [1],
}  # fmt: skip


def test_words_of_any_length_and_script_are_found(database):
    with database.write() as session:
        session.add_all([Run(name="or é日本語"), Run(name="a-fr-fox"), Run(name='a"b %_ a* NEAR(')])
        session.flush()
        assert {word: found(session, word.replace("\\", "\\\\").replace('"', '\\"')) for word in WORDS} == WORDS


def test_parts_of_different_fields_are_not_one_word(database):
    with database.write() as session:
        session.add(Run(name="fox", trainer="tour", notes="hot"))
        session.flush()
        assert [found(session, word) for word in ("foxtour", "xt", "tourhot", "foxt")] == [[], [], [], []]


def test_capital_letters_of_any_script_are_the_same_with_the_index(tmp_path):
    migrate(tmp_path / "deck.db")
    database = Database(tmp_path / "deck.db")
    with database.write() as session:
        session.add(Run(name="Größe ÜBER Ärmel"))
        session.flush()
        assert [found(session, word) for word in ("über", "GRÖSSE", "GRÖß", "ä", "ÄR", "ärm")] == [
            [1],
            [],
            [1],
            [1],
            [1],
            [1],
        ]
    database.close()


def test_runs_are_counted_by_status_whatever_changes_them(database):
    with database.write() as session:
        session.add_all([Run(name="a"), Run(name="b"), Run(name="c", status="completed")])
        session.flush()
        session.get(Run, 1).status = "starting"
        session.delete(session.get(Run, 2))
        session.flush()
        counts = {status.value: count for status, count in count_by_status(session).items() if count}
        assert counts == {"starting": 1, "completed": 1}
        assert len(count_by_status(session)) == len(STATUSES)


def test_a_database_that_comes_to_another_sqlite_is_searched_all_the_same(tmp_path, monkeypatch):
    path = tmp_path / "deck.db"
    migrate(path)
    execute(path, "INSERT INTO run (name, status, notes, priority, cpus, gpus, max_retries, retries, attempt, resume, "
                  "created_at, log_size) VALUES ('first', 'queued', '', 0, 1, 0, 0, 0, 0, 0, '2026-01-01', 0)")  # fmt: skip
    with monkeypatch.context() as without:
        without.setattr(derived, "has_full_text", lambda: False)
        migrate(path)
        triggers = execute(path, "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'run_text'")
        assert triggers == []
        execute(path, "UPDATE run SET name = 'second'")
    migrate(path)
    assert execute(path, "SELECT rowid FROM run_search WHERE run_search MATCH 'second'") == [(1,)]
    assert execute(path, "SELECT rowid FROM run_search WHERE run_search MATCH 'first'") == []


def execute(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()
