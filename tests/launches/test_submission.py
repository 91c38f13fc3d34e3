"""What is asked becomes a run, or a refusal that names every wrong field."""

from typing import Any

import pytest

from launches.answers import FORMLESS, NEVER, Answers, asked, launched
from launches.conftest import Project
from traindeck.errors import DeckBusy, InvalidRequest
from traindeck.launches.repetition import prepare_again, resolve_again
from traindeck.launches.requests import LaunchBody, RerunBody, ScriptBody
from traindeck.launches.submission import KnownOnly, Launchpad, prepare, resolve
from traindeck.options.inspection import Inspection, Target
from traindeck.runner.program import START, Program
from traindeck.runs.commands import RunSpec

WAYS = ("path", "source", "filename", "module", "command", "upload", "entry")


def resolved(pad: Launchpad, body: LaunchBody, inspector: Any = FORMLESS) -> RunSpec:
    return resolve(pad, prepare(pad, body), inspector)


def test_whatever_a_request_says_of_the_start_is_stored_and_repeated(pad: Launchpad, project: Project) -> None:
    folder = project({"train.py": ""})
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text("")
    python.chmod(0o755)
    given = {"args": ["--lr", "1"], "cwd": str(folder), "python": str(python), "cold": True, "resume_arg": "--ckpt"}
    assert set(given) == set(START) == ScriptBody.model_fields.keys() - set(WAYS)

    run = launched(pad, asked(script={"path": str(folder / "train.py"), **given}))
    assert run.script is not None
    assert run.script.start() == given
    again = resolve_again(pad, prepare_again(pad, run.id, RerunBody()), NEVER)
    assert again.script == run.script
    assert again.code is not None
    assert again.code.digest == run.code_digest


@pytest.mark.parametrize(
    ("script", "kind", "filename"),
    [
        ({"source": "x = 1", "filename": "a.py"}, "source", "a.py"),
        ({"module": "pkg.train", "cwd": "."}, "module", "pkg.train"),
        ({"command": ["/bin/true", "x"]}, "command", "true"),
    ],
)
def test_every_way_to_give_a_script_is_one_kind_of_program(
    pad: Launchpad, project: Project, script: dict[str, Any], kind: str, filename: str
) -> None:
    folder = project({"pkg/train.py": "", "pkg/__init__.py": ""})
    where = {"cwd": str(folder)} if "cwd" in script else {}
    program = resolved(pad, asked(script={**script, **where})).script
    assert program is not None
    assert (program.kind, program.filename) == (kind, filename)


@pytest.mark.parametrize("path", ["missing.py", "train.py"])
def test_what_is_wrong_with_the_script_and_with_its_resources_is_said_at_once(
    pad: Launchpad, project: Project, path: str
) -> None:
    body = asked(
        script={"path": str(project({"train.py": ""}) / path)}, params={"lr": 1}, resources={"cpus": 3, "gpus": 1}
    )
    with pytest.raises(InvalidRequest) as refused:
        resolved(pad, body)
    wrong = "script.path" if path == "missing.py" else "params"
    assert [error.field for error in refused.value.errors] == [wrong, "resources.cpus", "resources.gpus"]


def test_a_script_that_does_not_come_to_its_parser_in_time_is_launched_unchecked(
    pad: Launchpad, project: Project
) -> None:
    late = Answers(Inspection(None, "it did not come to a parser within 2 s", late=True))
    spec = resolved(pad, asked(script={"path": str(project({"train.py": ""}) / "train.py")}), late)
    assert spec.script is not None
    assert spec.script.unchecked == "it did not come to a parser within 2 s"


def test_a_script_without_arguments_is_launched_though_too_many_others_are_asked(
    pad: Launchpad, project: Project
) -> None:
    body = asked(script={"path": str(project({"train.py": ""}) / "train.py")})
    assert body.script is not None
    spec = resolved(pad, body, Answers(DeckBusy("too many")))
    assert spec.script is not None
    assert spec.script.unchecked == "too many others were inspected at that moment"
    with pytest.raises(DeckBusy):
        resolved(pad, asked(script={"path": body.script.path, "args": ["1"]}), Answers(DeckBusy("too many")))


def test_what_is_known_only_is_told_and_nothing_is_asked(pad: Launchpad) -> None:
    known = KnownOnly(FORMLESS, LookupError("not known"))
    for ask in (
        known.inspect,
        known.begin,
        lambda target: known.inspect_within(target, 1),
        lambda target: known.parse(target, []),
    ):
        with pytest.raises(LookupError):
            ask(Target(Program()))
