"""The same once more, exactly or with a few things changed."""

import argparse
import shutil
from dataclasses import replace
from typing import Any

import pytest

from launches.answers import FORMLESS, NEVER, Answers, asked, launched
from traindeck.db.tables import Run
from traindeck.errors import InvalidRequest, RunConflict, RunNotFound
from traindeck.launches.repetition import prepare_again, resolve_again, submit_again
from traindeck.launches.requests import RerunBody
from traindeck.launches.submission import Launchpad
from traindeck.options.inspection import Inspection
from traindeck.options.schema import make_schema
from traindeck.runner.inspecting.declared import declare
from traindeck.runs import commands
from traindeck.runs.commands import RunSpec
from traindeck.runs.queries import find_run
from traindeck.runs.view import RunView
from traindeck.trainers.registry import load_trainers


def options() -> Answers:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--resume")
    return Answers(Inspection(make_schema("argparse", declare(parser, lenient=False))))


@pytest.fixture
def first(pad: Launchpad) -> RunView:
    """A run of a script with options."""
    return launched(pad, asked(script={"source": "x = 1", "args": ["--lr", "0.5", "--epochs=7"]}), options())


def again(pad: Launchpad, run: RunView, **body: Any) -> RunSpec:
    return resolve_again(pad, prepare_again(pad, run.id, RerunBody.model_validate(body)), options())


def test_parameters_of_a_script_are_changed_by_name(pad: Launchpad, first: RunView) -> None:
    spec = again(pad, first, params={"lr": 0.25, "amp": True})
    assert spec.params == {**first.params, "lr": 0.25, "amp": True}
    assert spec.script is not None
    assert sorted(spec.script.args) == sorted(("--lr", "0.25", "--epochs", "7", "--amp"))


def test_all_arguments_of_a_script_are_replaced(pad: Launchpad, first: RunView) -> None:
    spec = again(pad, first, args=["--epochs", "9"], name="other", tags=[])
    assert spec.script is not None
    assert (spec.script.args, spec.params["epochs"], spec.params["lr"]) == (("--epochs", "9"), 9, 0.1)
    assert (spec.name, spec.tags) == ("other", ())


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"params": {"lrr": 1}}, "params.lrr", "did you mean 'lr'?"),
        ({"params": {"lr": "fast"}}, "params.lr", "must be a number"),
        ({"args": ["--epochs", "many"]}, "args", "epochs"),
        ({"resources": {"gpus": 99}}, "resources.gpus", "resources.gpus is 99"),
        ({"resume_arg": "--lrate"}, "resume_arg", "resume_arg is '--lrate', but the script has no such option"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    pad: Launchpad, first: RunView, body: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        again(pad, first, **body)
    assert [one.field for one in refused.value.errors] == [field]
    assert message in str(refused.value)


def test_an_option_to_resume_by_that_the_script_has_not_is_refused_at_launch(pad: Launchpad) -> None:
    with pytest.raises(InvalidRequest) as refused:
        launched(pad, asked(script={"source": "x = 1", "resume_arg": "--lrate"}), options())
    assert [one.field for one in refused.value.errors] == ["script.resume_arg"]


def test_a_rerun_with_a_key_is_queued_once(pad: Launchpad, first: RunView) -> None:
    spec = again(pad, first)
    one = submit_again(pad, spec, "again-1")
    assert submit_again(pad, spec, "again-1").id == one.id
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        submit_again(pad, again(pad, first, notes="x"), "again-1")


def test_a_run_whose_code_is_gone_is_refused_with_what_to_do(pad: Launchpad, first: RunView) -> None:
    shutil.rmtree(pad.files.run(first.id).code)
    (pad.files.run(first.id).folder / "code.json").unlink()
    with pytest.raises(RunConflict, match=r"is gone from the deck's home: launch script\.py anew"):
        again(pad, first)
    with pytest.raises(RunNotFound):
        prepare_again(pad, 999, RerunBody())


def test_a_trainer_that_is_not_installed_any_more_is_refused(pad: Launchpad) -> None:
    """As after an upgrade: the run names a trainer that the deck does not have."""
    pad = replace(pad, registry=load_trainers())
    with pad.database.write() as session:
        run = commands.submit(session, pad.files, pad.code.blobs, RunSpec(trainer="mnits"))
        run_id = run.id or 0
    with pytest.raises(InvalidRequest, match="did you mean 'mnist'") as refused:
        resolve_again(pad, prepare_again(pad, run_id, RerunBody()), NEVER)
    assert refused.value.errors[0].field == "trainer"


def test_an_imported_run_has_no_program_to_repeat(pad: Launchpad) -> None:
    with pad.database.write() as session:
        run = Run(name="imported", status="completed", attempt=1)
        session.add(run)
        session.flush()
        run_id = run.id or 0
    with pytest.raises(RunConflict, match="was imported"):
        prepare_again(pad, run_id, RerunBody())


def test_a_repeat_keeps_what_is_not_asked_otherwise(pad: Launchpad) -> None:
    first = launched(
        pad, asked(script={"source": "x = 1"}, tags=["a"], notes="n", env={"A": "1", "B": "2"}, max_retries=3)
    )
    body = RerunBody.model_validate({"env": {"A": None, "C": "3"}, "resources": {"cpus": 2}, "priority": 5})
    again = prepare_again(pad, first.id, body)
    assert again.target is None
    spec = resolve_again(pad, again, NEVER)
    assert (spec.env, spec.tags, spec.notes, spec.max_retries) == ({"B": "2", "C": "3"}, ("a",), "n", 3)
    assert (spec.resources.cpus, spec.priority, spec.rerun_of) == (2, 5, first.id)
    view = submit_again(pad, spec, None)
    with pad.database.read() as session:
        assert find_run(session, view.id).rerun_of == first.id


def test_a_repeat_with_other_arguments_asks_the_script_and_refuses_in_its_own_words(pad: Launchpad) -> None:
    first = launched(pad, asked(script={"source": "x = 1", "args": ["--lr", "1"]}))
    again = prepare_again(pad, first.id, RerunBody(args=["--lr", "2"]))
    spec = resolve_again(pad, again, FORMLESS)
    assert spec.script is not None
    assert spec.script.args == ("--lr", "2")
    with pytest.raises(InvalidRequest, match="params need a form"):
        resolve_again(pad, replace(again, body=RerunBody(params={"lr": 2})), FORMLESS)


def test_a_command_has_no_arguments_to_change(pad: Launchpad) -> None:
    first = launched(pad, asked(script={"command": ["/bin/true"]}))
    with pytest.raises(InvalidRequest, match="a command holds its arguments itself"):
        resolve_again(pad, prepare_again(pad, first.id, RerunBody(args=["x"])), NEVER)
