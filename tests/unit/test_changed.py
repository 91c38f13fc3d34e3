"""Whoever listens hears of each run that a transaction changes, after its commit, without being told by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

import traindeck
from traindeck.db.engine import Database
from traindeck.db.tables import Run, RunTag, ScalarSummary
from traindeck.runs import commands, imported, transitions
from traindeck.runs.changes import Changes
from traindeck.runs.commands import RunSpec
from traindeck.runs.imported import Imported
from traindeck.runs.queries import find_run
from traindeck.runs.rows import Observation, write_observation
from traindeck.runs.status import Status


@pytest.fixture
def heard(database: Database) -> list[int]:
    """The runs that a listener heard of, each only when another connection sees the change."""
    heard: list[int] = []
    database.on_commit.append(heard.append)
    return heard


@pytest.fixture
def runs(database: Database) -> tuple[int, int]:
    return tuple(add(database, status) for status in ("queued", "completed"))


def add(database: Database, status: str) -> int:
    with database.write() as session:
        run = Run(name="a", trainer="mnist", status=status)
        session.add(run)
        session.flush()
        return run.id


SUMMARY = {"last": 1.0, "min": 1.0, "max": 1.0, "step": 1, "count": 1}
WAYS: dict[str, Callable[[Session, int, int], Any]] = {
    "an attribute": lambda session, queued, _: setattr(find_run(session, queued), "name", "b"),
    "edit": lambda session, queued, _: commands.edit(session, queued, {"notes": "n"}),
    "edit of tags alone": lambda session, queued, _: commands.edit(session, queued, {"tags": ["t"]}),
    "no tags any more": lambda session, queued, _: commands.edit(session, queued, {"tags": []}),
    "describe": lambda session, queued, _: commands.describe(session, queued, {"lr": 1}),
    "cancel": lambda session, queued, _: commands.cancel(session, queued),
    "remove": lambda session, queued, _: commands.remove(session, queued),
    "move": lambda session, queued, _: transitions.move(session, find_run(session, queued), Status.STARTING, attempt=1),
    "trouble": lambda session, queued, _: transitions.record_trouble(session, queued, 0, "why"),
    "columns": lambda session, queued, _: write_observation(session, Observation(queued, 0, {}, {"log_size": 3})),
    "scalars": lambda session, queued, _: write_observation(session, Observation(queued, 0, {"loss": SUMMARY})),
    "a tag": lambda session, queued, _: session.add(RunTag(run_id=queued, tag="t")),
    "an insert of many": lambda session, queued, _: session.execute(
        insert(RunTag), [{"run_id": queued, "tag": "t"}, {"run_id": queued, "tag": "u"}]
    ),
    "a delete of many": lambda session, queued, _: session.execute(
        delete(ScalarSummary).where(ScalarSummary.run_id == queued, ScalarSummary.tag.in_(["a", "b"]))
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_change_is_heard_of_once_after_its_commit(database, heard, runs, way):
    heard.clear()
    with database.write() as session:
        WAYS[way](session, *runs)
        session.flush()
        assert heard == []
    assert heard == [runs[0]]


def test_a_new_run_and_several_changed_are_each_heard_of_once(database, files, blobs, heard, runs):
    heard.clear()
    with database.write() as session:
        new = commands.submit(session, files, blobs, RunSpec(trainer="mnist"))
        for run_id in (runs[1], runs[0], runs[1]):
            commands.edit(session, run_id, {"notes": str(new.id)})
    assert heard == [new.id, runs[1], runs[0]]


def test_a_retry_and_an_import_are_heard_of(database, files, heard, runs, tmp_path):
    heard.clear()
    with database.write() as session:
        commands.start_again(session, runs[1], resume=False)
    assert heard == [runs[1]]
    heard.clear()
    found = Imported(tmp_path, "a", "f", 0.0, 1.0, scalars={"loss": SUMMARY})
    with database.write() as session:
        number = imported.reserve(session, found)
    with database.write() as session:
        imported.complete(session, number, found)
    assert heard == [number, number]


def test_what_is_rolled_back_or_only_read_is_not_heard_of(database, heard, runs):
    heard.clear()

    def fail() -> None:
        with database.write() as session:
            commands.edit(session, runs[0], {"notes": "n"})
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with database.write() as session:
        assert find_run(session, runs[0]).notes == ""
        session.execute(select(Run)).all()
    assert heard == []


def test_a_listener_sees_the_change_in_the_database(database, runs):
    seen: list[str] = []

    def look(run_id: int) -> None:
        with database.read() as session:
            seen.append(find_run(session, run_id).notes)

    database.on_commit.append(look)
    with database.write() as session:
        commands.edit(session, runs[0], {"notes": "n"})
    assert seen == ["n"]


def test_a_listener_may_write_itself(database, runs):
    """The turn of the writer is over when it is called."""
    database.on_commit.append(lambda run_id: run_id == runs[0] and add(database, "queued"))
    with database.write() as session:
        commands.edit(session, runs[0], {"notes": "n"})


def test_a_statement_that_changes_runs_without_naming_them_is_refused(database, heard, runs):
    with pytest.raises(LookupError, match="must name its runs"), database.write() as session:
        session.execute(update(Run).where(Run.status == "queued").values(notes="n"))
    with pytest.raises(LookupError, match="must name its runs"), database.write() as session:
        session.execute(update(ScalarSummary).where(ScalarSummary.tag == "loss").values(last=1.0))


def test_changes_are_told_by_the_commit_alone():
    package = Path(traindeck.__file__).parent
    told = [path.name for path in package.rglob("*.py") if "changes.publish" in path.read_text()]
    assert told == ["app.py"]


def test_changes_count_and_mark_what_was_committed(database, runs):
    changes = Changes()
    database.on_commit.append(changes.publish)
    with changes.listen(lambda: None) as listener:
        with database.write() as session:
            commands.edit(session, runs[1], {"notes": "n"})
        assert (listener.take(), changes.count) == ([runs[1]], 1)
