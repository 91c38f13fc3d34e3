"""What people do to runs, as it lands in the database and on disk."""

import json
import os
import stat
from dataclasses import replace

import pytest
from sqlmodel import select

from traindeck.db.tables import IdempotencyKey, Parameter, Run, RunTag
from traindeck.errors import InvalidRequest, RunConflict, RunNotFound
from traindeck.runner.program import Program
from traindeck.runs import commands
from traindeck.runs.commands import ADJECTIVES, ANIMALS, RunSpec, random_name
from traindeck.runs.files import remove_files
from traindeck.runs.rows import MAX_TEXT_CHARACTERS, insert_parameters, parameter_rows
from traindeck.runs.status import FINAL, Status
from traindeck.sources.tree import CodeFile, tree_of

SPEC = RunSpec(trainer="mnist", params={"lr": 0.1}, tags=("a", "b", "a"))


def test_a_submitted_run_has_its_rows_and_its_folder(session, files, blobs):
    run = commands.submit(session, files, blobs, SPEC)

    assert json.loads(files.run(run.id).spec.read_text())["params"] == {"lr": 0.1}
    assert stat.S_IMODE(files.run(run.id).folder.stat().st_mode) == 0o700
    assert [row.tag for row in session.exec(select(RunTag))] == ["a", "b"]
    assert run.name.count("-") == 1


def test_a_script_is_kept_byte_for_byte(session, files, blobs):
    source = b"# \xff\r\nprint(1)"
    tree = tree_of("a.py", None, [CodeFile("a.py", len(source), blobs.put_bytes(source), 0)])
    run = commands.submit(session, files, blobs, RunSpec(script=Program("a.py", "source"), code=tree))

    assert (files.run(run.id).code / "a.py").read_bytes() == source
    assert run.code_digest == tree.digest


def test_what_a_submit_that_was_cut_off_left_behind_is_not_mixed_with_the_next(session, files, blobs):
    stale = files.run(1).folder / "attempt-1" / "work" / "events"
    stale.parent.mkdir(parents=True)
    stale.touch()

    assert commands.submit(session, files, blobs, SPEC).id == 1
    assert not stale.exists()


def test_the_same_key_with_the_same_request_answers_the_same_run(session, files, blobs):
    first = commands.submit(session, files, blobs, SPEC, "key")
    again = commands.submit(session, files, blobs, replace(SPEC, env={}), "key")

    assert again.id == first.id
    assert len(session.exec(select(Run)).all()) == 1


def test_the_order_in_which_a_client_writes_variables_does_not_make_it_another_request(session, files, blobs):
    first = commands.submit(session, files, blobs, replace(SPEC, env={"A": "1", "B": "2"}), "key")

    assert commands.submit(session, files, blobs, replace(SPEC, env={"B": "2", "A": "1"}), "key").id == first.id


def test_the_same_key_with_another_request_is_refused_and_names_the_run(session, files, blobs):
    first = commands.submit(session, files, blobs, SPEC, "key")

    with pytest.raises(InvalidRequest, match=f"made run {first.id} from another request"):
        commands.submit(session, files, blobs, replace(SPEC, notes="x"), "key")


def test_a_key_goes_with_its_run(session, files, blobs):
    run = commands.submit(session, files, blobs, SPEC, "key")
    session.flush()
    commands.remove(session, run.id)
    session.flush()

    assert session.exec(select(IdempotencyKey)).all() == []
    assert session.exec(select(Parameter)).all() == []


@pytest.mark.parametrize("status", ["starting", "running", "stopping"])
def test_a_run_with_a_process_cannot_be_removed(session, add, status):
    with pytest.raises(RunConflict, match=f"is {status}: cancel it"):
        commands.remove(session, add(status=status).id)


@pytest.mark.parametrize("run_id", [0, -1, 7, 2**63, 10**40])
def test_a_run_that_there_is_not_is_said_so(session, run_id):
    with pytest.raises(RunNotFound):
        commands.cancel(session, run_id)


def test_cancelling_a_queued_run_cancels_it_at_once_and_twice_changes_nothing(session, submit):
    run = submit()

    assert commands.cancel(session, run.id) is Status.CANCELLED
    session.expire_all()
    assert commands.cancel(session, run.id) is Status.CANCELLED


@pytest.mark.parametrize("status", ["starting", "running", "stopping"])
def test_cancelling_a_run_with_a_process_marks_it_as_stopping(session, add, status):
    assert commands.cancel(session, add(status=status).id) is Status.STOPPING


@pytest.mark.parametrize("status", sorted(FINAL - {Status.CANCELLED}))
def test_a_run_that_has_ended_otherwise_cannot_be_cancelled(session, add, status):
    with pytest.raises(RunConflict, match="has ended already"):
        commands.cancel(session, add(status=status.value).id)


def checkpoint(files, run: Run, attempt: int, name: str) -> str:
    path = files.run(run.id).attempt(attempt).work / "checkpoints" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return str(path)


@pytest.mark.parametrize("name", ["last.pt", "epoch3.pth", "a.ckpt", "model.safetensors"])
def test_a_run_resumes_from_the_newest_attempt_that_has_a_checkpoint(session, files, add, name):
    run = add(status="failed", attempt=3)
    checkpoint(files, run, 1, "last.pt")
    newest = checkpoint(files, run, 2, name)

    assert commands.last_checkpoint(files, run) == newest


def test_the_last_checkpoint_wins_over_a_newer_best_one(files, add):
    run = add(status="failed", attempt=1)
    last = checkpoint(files, run, 1, "last.pt")
    os.utime(last, (1, 1))
    checkpoint(files, run, 1, "best.pt")

    assert commands.last_checkpoint(files, run) == last


@pytest.mark.parametrize("name", [".last.pt.partial", ".hidden.pt", "notes.txt"])
def test_what_is_no_checkpoint_is_nothing_to_resume_from(files, add, name):
    run = add(status="failed", attempt=1)
    checkpoint(files, run, 1, name)

    with pytest.raises(RunConflict, match="no checkpoint"):
        commands.check_resume(files, run)


def test_the_folder_of_a_removed_run_goes_even_where_the_run_took_away_its_permissions(files):
    locked = files.run(3).folder / "attempt-1" / "work" / "locked"
    locked.mkdir(parents=True)
    (locked / "data").touch()
    locked.chmod(0o500)
    left = files.runs / ".deleted-2"
    left.mkdir()

    remove_files(files, 3)

    assert list(files.runs.iterdir()) == []


def test_removing_what_is_gone_already_is_no_error(files):
    remove_files(files, 3)


def test_parameters_become_rows_of_numbers_and_texts():
    rows = parameter_rows(1, {"lr": 0.1, "n": 3, "amp": True, "none": None, "name": "x", "list": [1], "o": {"b": 2}})

    assert {row["name"]: (row["number"], row["text"]) for row in rows} == {
        "lr": (0.1, "0.1"),
        "n": (3.0, "3"),
        "amp": (1.0, "true"),
        "none": (None, None),
        "name": (None, "x"),
        "list": (None, "[1]"),
        "o.b": (2.0, "2"),
    }


def test_odd_parameters_make_rows_that_a_database_takes(session, add):
    odd = {"huge": 10**400, "less": -(10**400), "long": "x" * 9999, "a.b": 1, "a": {"b": 2}}
    insert_parameters(session, add().id, odd)
    session.flush()

    rows = {row.name: row for row in session.exec(select(Parameter))}
    assert (rows["huge"].number, rows["less"].number) == (float("inf"), float("-inf"))
    assert len(rows["long"].text) == MAX_TEXT_CHARACTERS
    assert rows["a.b"].number == 2


def test_names_are_two_words_that_can_be_said():
    assert len(set(ADJECTIVES)) * len(set(ANIMALS)) > 5000
    for name in {random_name() for _ in range(200)}:
        adjective, animal = name.split("-")
        assert adjective in ADJECTIVES
        assert animal in ANIMALS
