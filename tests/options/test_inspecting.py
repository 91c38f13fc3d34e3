"""A script is asked for its options by running it to its parser, and no further."""

import ast
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from traindeck.executors.local.inspector import Inspector
from traindeck.options.inspection import Target
from traindeck.runner import inspecting
from traindeck.runner.identity import descendants
from traindeck.runner.program import Program

Script = Callable[[str], Target]

ARGPARSE = """
import argparse
parser = argparse.ArgumentParser(description="Trains.")
parser.add_argument("--lr", type=float, default=0.1)
"""


def properties(inspector: Inspector, target: Target) -> dict[str, Any]:
    inspection = inspector.inspect(target)
    assert inspection.schema is not None, inspection.reason
    return inspection.schema["properties"]


def reason(inspector: Inspector, target: Target) -> str:
    inspection = inspector.inspect(target)
    assert inspection.schema is None
    return inspection.reason


def test_nothing_after_the_parser_is_run(inspector: Inspector, script: Script, folder: Path) -> None:
    after = f"""
import atexit
atexit.register(open, {str(folder / "at_exit")!r}, "w")
parser.parse_args()
open({str(folder / "after")!r}, "w")
"""
    inspection = inspector.inspect(script(ARGPARSE + after))
    assert (inspection.parser, inspection.reason) == ("argparse", "")
    assert inspection.schema is not None
    assert inspection.schema["description"] == "Trains."
    assert [path.name for path in folder.iterdir()] == ["train.py"]


def test_what_a_script_writes_before_its_parser_does_not_stay(
    inspector: Inspector, script: Script, folder: Path
) -> None:
    (folder / "notes.txt").write_text("mine")
    before = "open('log.txt', 'w').write('x')\nimport os\nassert os.path.exists('notes.txt')\nos.makedirs('runs/1')\n"
    assert properties(inspector, script(before + ARGPARSE + "parser.parse_args()"))["lr"]["default"] == 0.1
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "train.py"]


def test_a_file_of_the_users_cannot_be_written_over_by_it(inspector: Inspector, script: Script, folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    for attempt in ("open('notes.txt', 'w')", "import os\nos.remove(__file__)"):
        assert "PermissionError" in reason(inspector, script(attempt + ARGPARSE + "parser.parse_args()"))
    assert (folder / "notes.txt").read_text() == "mine"


CHANGES = [
    "open({path!r}, 'a')",
    "import os\nos.open({path!r}, os.O_RDWR)",
    "import os\nos.remove({path!r})",
    "import os\nos.makedirs({path!r} + '/new')",
    "import os\nos.chmod({path!r}, 0o600)",
    "import os\nos.truncate({path!r}, 0)",
    "open('a', 'w')\nimport os\nos.rename('a', {path!r})",
    "import os\nos.symlink('a', {path!r} + '.link')",
    "import os\nos.mkdir('new', dir_fd=os.open({folder!r}, os.O_RDONLY))",
    "import pathlib\npathlib.Path({path!r}).unlink()",
]


@pytest.mark.parametrize("change", CHANGES)
def test_no_file_anywhere_can_be_changed_by_it(
    inspector: Inspector, script: Script, elsewhere: Path, change: str
) -> None:
    (elsewhere / "notes.txt").write_text("mine")
    source = change.format(path=str(elsewhere / "notes.txt"), folder=str(elsewhere))
    assert "PermissionError" in reason(inspector, script(source + ARGPARSE + "parser.parse_args()"))
    assert [path.name for path in elsewhere.iterdir()] == ["notes.txt"]
    assert (elsewhere / "notes.txt").read_text() == "mine"


def test_caches_and_temporary_files_can_be_written(inspector: Inspector, script: Script, elsewhere: Path) -> None:
    before = f"""
import os, tempfile
os.makedirs({str(elsewhere / ".cache" / "library")!r})
os.makedirs({str(elsewhere)!r}, exist_ok=True)
with tempfile.TemporaryDirectory() as folder, open(folder + "/file", "w"), open(os.devnull, "w"):
    os.mkdir(folder + "/inner")
"""
    assert "lr" in properties(inspector, script(before + ARGPARSE + "parser.parse_args()"))


def test_a_deck_may_have_its_home_in_the_scripts_folder(launcher: Any, script: Script, folder: Path) -> None:
    at_home = Inspector(launcher, folder / "home" / "cache", cold_seconds=10)
    assert "lr" in properties(at_home, script("open('log.txt', 'w')" + ARGPARSE + "parser.parse_args()"))


def test_a_script_without_a_parser_is_not_run(inspector: Inspector, script: Script, folder: Path) -> None:
    target = script(f"open({str(folder / 'ran')!r}, 'w')\nwhile True: pass")
    assert reason(inspector, target) == "it has no parser of argparse, click or Typer"
    assert not (folder / "ran").exists()


def test_a_script_that_trains_before_its_parser_is_ended_with_all_its_processes(
    launcher: Any, script: Script, folder: Path
) -> None:
    forever = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({str(folder.parent / "pid")!r}, "w").write(str(os.getpid()))
        while True: time.sleep(60)
while True: pass
"""
    impatient = Inspector(launcher, folder.parent / "cache", cold_seconds=1)
    inspection = impatient.inspect(script(forever + ARGPARSE + "parser.parse_args()"))
    assert (inspection.late, inspection.reason) == (True, "it did not come to a parser within 1 s")
    pid = int((folder.parent / "pid").read_text())
    assert not _alive(pid)
    assert pid not in descendants(os.getpid())


def test_children_of_a_script_do_not_outlive_its_parser(inspector: Inspector, script: Script, folder: Path) -> None:
    child = f"""
import os, time
if os.fork() == 0:
    open({str(folder.parent / "pid")!r}, "w").write(str(os.getpid()))
    while True: time.sleep(60)
while not os.path.exists({str(folder.parent / "pid")!r}) or not open({str(folder.parent / "pid")!r}).read(): pass
"""
    assert "lr" in properties(inspector, script(child + ARGPARSE + "parser.parse_args()"))
    assert not _alive(int((folder.parent / "pid").read_text()))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 / 0\n" + ARGPARSE + "parser.parse_args()", "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('no data')\n" + ARGPARSE + "parser.parse_args()", "exit no data"),
        ("import os\nos.abort()\n" + ARGPARSE + "parser.parse_args()", "its process ended with signal 6"),
        (ARGPARSE + "def main(): parser.parse_args()", "it ended before it came to a parser"),
        ("import argparse\nx = (1,\n", "it cannot be read: '(' was never closed"),
        ("import fire\nfire.Fire()", "its options are declared with fire, which has no form here"),
    ],
)
def test_a_script_that_does_not_come_to_a_parser_says_why(
    inspector: Inspector, script: Script, source: str, expected: str
) -> None:
    assert expected in reason(inspector, script(source))


def test_a_script_may_print_and_read_as_much_as_it_likes(inspector: Inspector, script: Script) -> None:
    loud = """
import sys
for _ in range(20_000): print("x" * 100); print("y" * 100, file=sys.stderr)
assert sys.stdin.read() == ""
"""
    assert "lr" in properties(inspector, script(loud + ARGPARSE + "parser.parse_args()"))


def test_a_parser_may_stand_in_a_module_beside_the_script(inspector: Inspector, script: Script, folder: Path) -> None:
    (folder / "cli").mkdir()
    (folder / "cli" / "__init__.py").write_text("from .flags import read")
    (folder / "cli" / "flags.py").write_text(ARGPARSE + "def read(): return parser.parse_args()")
    target = script("from cli import read\nread()")
    first = inspector.inspect(target)
    assert first.schema is not None
    assert inspector.inspect(target).cached
    (folder / "cli" / "flags.py").write_text(ARGPARSE.replace("0.1", "0.2") + "def read(): return parser.parse_args()")
    assert properties(inspector, target)["lr"]["default"] == 0.2


def test_a_parser_that_only_runs_in_another_main_module_is_none(
    inspector: Inspector, script: Script, folder: Path
) -> None:
    (folder / "tool.py").write_text(
        "if __name__ == '__main__':\n    import argparse\n    argparse.ArgumentParser().parse_args()"
    )
    assert reason(inspector, script("import tool\nwhile True: pass")) == "it has no parser of argparse, click or Typer"


def test_a_module_is_asked_as_python_m_would_run_it(inspector: Inspector, folder: Path) -> None:
    (folder / "pkg").mkdir()
    (folder / "pkg" / "__init__.py").write_text("")
    (folder / "pkg" / "train.py").write_text("assert __package__ == 'pkg'" + ARGPARSE + "parser.parse_args()")
    assert "lr" in properties(inspector, Target(Program(module="pkg.train", cwd=str(folder)), path0=folder))
    assert "no module pkg.missing" in reason(
        inspector, Target(Program(module="pkg.missing", cwd=str(folder)), path0=folder)
    )


def test_a_pasted_script_needs_no_folder(inspector: Inspector) -> None:
    target = Target(Program(), content=(ARGPARSE + "parser.parse_args()").encode(), file="train.py")
    assert "lr" in properties(inspector, target)
    assert inspector.inspect(replace(target)).cached


TWICE = """
first = argparse.ArgumentParser(add_help=False)
first.add_argument("--config", default="none")
known, rest = first.parse_known_args()
parser.set_defaults(lr=0.5)
"""


def test_of_two_parsers_the_second_gets_what_the_first_has_left(inspector: Inspector, script: Script) -> None:
    found = properties(inspector, script(ARGPARSE + TWICE + "parser.parse_args(rest)"))
    assert {name: one["default"] for name, one in found.items()} == {"config": "none", "lr": 0.5}


def test_a_parser_that_is_asked_before_more_is_added_to_it_is_asked_again(inspector: Inspector, script: Script) -> None:
    more = "known, _ = parser.parse_known_args()\nparser.add_argument('--depth', default=int(known.lr * 30))\nparser.parse_args()"
    assert properties(inspector, script(ARGPARSE + more))["depth"]["default"] == 3


def test_defaults_that_are_read_from_a_parser_first_do_not_hide_it(inspector: Inspector, script: Script) -> None:
    source = "defaults = argparse.ArgumentParser()\ndefaults.parse_args([])\nparser.parse_args()"
    assert list(properties(inspector, script(ARGPARSE + source))) == ["lr"]


def test_options_that_a_first_parser_leaves_to_others_are_passed_over(inspector: Inspector, script: Script) -> None:
    inspection = inspector.inspect(script(ARGPARSE + "parser.parse_known_args()"))
    assert inspection.schema is not None
    assert inspection.schema["x-lenient"] is True


DATACLASSES = """
import dataclasses
from argparse import ArgumentParser, ArgumentDefaultsHelpFormatter

@dataclasses.dataclass
class Arguments:
    learning_rate: float = dataclasses.field(default=5e-5, metadata={"help": "The rate."})
    output_dir: str = dataclasses.field(default="out")
    bf16: bool = False

class DataclassParser(ArgumentParser):
    def __init__(self, kind):
        super().__init__(formatter_class=ArgumentDefaultsHelpFormatter)
        self.kind = kind
        group = self.add_argument_group("Training")
        for field in dataclasses.fields(kind):
            more = {"type": text_to_bool, "nargs": "?", "const": True} if field.type is bool else {"type": field.type}
            group.add_argument(f"--{field.name}", default=field.default, help=field.metadata.get("help"), **more)

    def parse_args_into_dataclasses(self):
        namespace, _ = self.parse_known_args()
        return self.kind(**vars(namespace))

def text_to_bool(text):
    if text.lower() in ("yes", "true", "t", "y", "1"):
        return True
    if text.lower() in ("no", "false", "f", "n", "0"):
        return False
    raise ValueError(text)

DataclassParser(Arguments).parse_args_into_dataclasses()
"""


def test_a_parser_made_from_a_dataclass_is_read_as_any(inspector: Inspector, script: Script) -> None:
    found = properties(inspector, script(DATACLASSES))
    assert {name: (one["type"], one["default"], one["group"]) for name, one in found.items()} == {
        "learning_rate": ("number", 5e-5, "Training"),
        "output_dir": ("string", "out", "Training"),
        "bf16": ("boolean", False, "Training"),
    }
    assert found["learning_rate"]["description"] == "The rate. (default: 5e-05)"


def test_many_who_ask_for_the_same_are_answered_by_one_process(
    inspector: Inspector, script: Script, folder: Path
) -> None:
    (folder.parent / "starts").touch()
    counted = f"open({str(folder.parent / 'starts')!r}, 'a').write('x')\n"
    target = script(counted + ARGPARSE + "parser.parse_args()")
    futures = [inspector.begin(target) for _ in range(8)]
    assert all(future.result(timeout=60).schema for future in futures)
    assert (folder.parent / "starts").read_text() == "x"


def test_a_script_that_was_late_is_left_alone_for_a_while(launcher: Any, script: Script, folder: Path) -> None:
    impatient = Inspector(launcher, folder.parent / "cache", cold_seconds=0.5)
    target = script("while True: pass" + ARGPARSE + "parser.parse_args()")
    assert not impatient.inspect(target).cached
    again = impatient.inspect(target)
    assert (again.cached, again.late) == (True, True)


def test_another_interpreter_needs_no_traindeck(
    inspector: Inspector, script: Script, folder: Path, tmp_path: Path
) -> None:
    import venv

    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    isolated = "import sys\nassert sys.prefix.endswith('venv')\nassert 'traindeck' not in sys.modules\n"
    target = script(isolated + ARGPARSE + "parser.parse_args()")
    target = replace(target, program=replace(target.program, python=python))
    assert "lr" in properties(inspector, target)


CHILD_SIDE = sorted(Path(inspecting.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", [path for path in CHILD_SIDE if path.name != "watch.py"], ids=lambda path: path.name)
def test_what_runs_in_the_scripts_interpreter_is_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 8))
    imported = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    names = {str(name).partition(".")[0] for name in imported}
    assert names <= set(sys.stdlib_module_names) | {"traindeck"}
