"""The files of a script are read once for a launch: what is kept, hashed and checked is the same content."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from launches.conftest import Project
from traindeck.launches.repetition import prepare_again, resolve_again
from traindeck.launches.requests import LaunchBody, RerunBody
from traindeck.launches.submission import Launchpad, prepare, resolve, submit
from traindeck.runs.view import RunView
from traindeck.sources import snapshot

PARSER = (
    "import argparse\nimport near\np = argparse.ArgumentParser()\np.add_argument('--lr', type={type})\np.parse_args()\n"
)
FILES = {"train.py": PARSER.format(type="float"), "near.py": "x = 1"}
opened: list[str] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and opened is not None and isinstance(arguments[0], str | bytes | os.PathLike):
        path, _, flags = arguments
        if flags & os.O_ACCMODE == os.O_RDONLY:
            opened.append(os.fsdecode(path))


@pytest.fixture(scope="module")
def _hook() -> None:
    sys.addaudithook(_note)


@pytest.fixture
def reads(_hook: None) -> Iterator[Any]:
    """Counts how often this process opens each file of a folder, by its name."""
    global opened
    opened = []

    def count(folder: Path) -> dict[str, int]:
        found = Counter(path for path in opened or [] if path.startswith(f"{folder}/"))
        (opened or []).clear()
        return {os.path.relpath(path, folder): times for path, times in found.items() if path.endswith(".py")}

    yield count
    opened = None


def launch(pad: Launchpad, script: dict[str, Any], **fields: Any) -> RunView:
    launch = prepare(pad, LaunchBody.model_validate({"script": script, **fields}))
    return submit(pad, launch, resolve(pad, launch, pad.inspector), None)


@pytest.mark.parametrize("args", [[], ["--lr", "0.1"]], ids=["without arguments", "with arguments"])
def test_a_script_that_is_new_is_read_once(pad: Launchpad, project: Project, reads: Any, args: list[str]) -> None:
    folder = project(FILES)
    run = launch(pad, {"path": str(folder / "train.py"), "args": args})
    assert run.params == {"lr": 0.1 if args else None}
    assert reads(folder) == {"train.py": 1, "near.py": 1}


def test_a_script_whose_own_code_reads_an_option_is_read_once(pad: Launchpad, project: Project, reads: Any) -> None:
    folder = project({**FILES, "train.py": PARSER.format(type="lambda text: float(text) * 2")})
    run = launch(pad, {"path": str(folder / "train.py"), "args": ["--lr", "0.1"]})
    assert run.script is not None
    assert run.script.unchecked is None
    assert reads(folder) == {"train.py": 1, "near.py": 1}


@pytest.mark.parametrize("again", ["at once", "later"])
def test_the_same_script_is_read_once_more_at_most(
    pad: Launchpad, project: Project, reads: Any, again: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if again == "later":
        monkeypatch.setattr(snapshot, "SETTLED_NS", -1)
    folder = project(FILES)
    launch(pad, {"path": str(folder / "train.py")})
    reads(folder)
    launch(pad, {"path": str(folder / "train.py")})
    assert reads(folder) == {"train.py": 1, "near.py": 1}


def test_a_module_is_read_once(pad: Launchpad, project: Project, reads: Any) -> None:
    folder = project(
        {f"pkg/{name}": text.replace("import near", "from pkg import near") for name, text in FILES.items()}
    )
    run = launch(pad, {"module": "pkg.train", "cwd": str(folder)})
    assert run.params == {"lr": None}
    assert reads(folder) == {"pkg/train.py": 1, "pkg/near.py": 1}


def test_a_script_in_a_folder_that_is_no_project_is_read_once(pad: Launchpad, project: Project, reads: Any) -> None:
    folder = project({**FILES, "alone.py": "not imported"})
    folder.chmod(0o1777)
    launch(pad, {"path": str(folder / "train.py")})
    assert reads(folder) == {"train.py": 1, "near.py": 1}


def test_what_is_checked_is_what_was_kept_whatever_is_edited_meanwhile(pad: Launchpad, project: Project) -> None:
    folder = project(FILES)
    launch = prepare(pad, LaunchBody.model_validate({"script": {"path": str(folder / "train.py")}}))
    (folder / "train.py").write_text(PARSER.format(type="float").replace("--lr", "--edited"))
    assert resolve(pad, launch, pad.inspector).params == {"lr": None}
    assert submit(pad, launch, resolve(pad, launch, pad.inspector), None).params == {"lr": None}


def test_a_run_is_repeated_from_what_was_kept_of_it(pad: Launchpad, project: Project, reads: Any) -> None:
    folder = project(FILES)
    first = launch(pad, {"path": str(folder / "train.py")})
    reads(folder)
    again = prepare_again(pad, first.id, RerunBody(args=["--lr", "0.5"]))
    assert resolve_again(pad, again, pad.inspector).params == {"lr": 0.5}
    assert reads(folder) == {}
    assert reads(pad.files.run(first.id).code) == {}
