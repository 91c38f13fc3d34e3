"""A program is one value in requests, rows, spec.json and orders, and older ones of these stay readable."""

import json
from pathlib import Path

import pytest

from traindeck.runner.order import Order, ScriptOrder, read_order
from traindeck.runner.program import Program

PROGRAMS = [
    Program("train.py", path="/home/ada/train.py", cwd="/home/ada", args=("--lr", "0.1"), unchecked="it took too long"),
    Program("script.py", "source", cold=True, resume_arg="--ckpt"),
    Program("pkg.train", "module", module="pkg.train", cwd="/home/ada", python="/venv/bin/python"),
    Program("torchrun", "command", command=("torchrun", "train.py")),
    Program("src/train.py", "upload"),
]


def order(script: ScriptOrder) -> Order:
    return Order(1, 1, "mark", "/home/runs/1/attempt-1", "/home/datasets", 5.0, script=script)


def written(folder: Path, content: object) -> Path:
    path = folder / "order.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.kind)
def test_what_is_kept_of_a_program_is_all_of_it(program: Program, tmp_path: Path) -> None:
    assert Program.from_json(json.loads(json.dumps(program.as_json()))) == program
    ordered = order(ScriptOrder(program, source="/code/train.py", root="/home/ada"))
    assert read_order(written(tmp_path, ordered.as_json())) == ordered


@pytest.mark.parametrize(("path", "kind"), [("/home/ada/train.py", "path"), (None, "source")])
def test_rows_of_the_first_decks_do_not_say_the_kind(path: str | None, kind: str) -> None:
    row = {"path": path, "filename": "train.py", "args": ["--lr", "0.1"], "left_long_ago": 1}
    assert Program.from_json(row) == Program("train.py", kind, path=path, args=("--lr", "0.1"))  # type: ignore[arg-type]


COMMON = {"command": [], "args": [], "module": "", "source": "", "file": "", "path0": "", "base": None, "code": None,
          "root": None, "edited": False, "python": None, "cold": False}  # fmt: skip


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            {"kind": "file", "source": "/code/train.py", "file": "/home/ada/train.py", "path0": "/home/ada",
             "args": ["--lr", "1"], "base": "/data", "code": "/code", "root": "/home/ada", "cold": True},
            ScriptOrder(
                Program("train.py", cwd="/data", args=("--lr", "1"), cold=True),
                "/code/train.py", "/home/ada/train.py", "/home/ada", "/code", "/home/ada",
            ),
        ),
        (
            {"kind": "module", "module": "pkg.train", "path0": "/home/ada", "base": "/home/ada", "python": "/bin/python"},
            ScriptOrder(
                Program("", "module", module="pkg.train", cwd="/home/ada", python="/bin/python"),
                path0="/home/ada",
            ),
        ),
        (
            {"kind": "command", "command": ["torchrun", "a.py"], "edited": True},
            ScriptOrder(Program("", "command", command=("torchrun", "a.py")), edited=True),
        ),
    ],
    ids=["file", "module", "command"],
)  # fmt: skip
def test_an_order_of_the_release_before_is_carried_out(script: dict, expected: ScriptOrder, tmp_path: Path) -> None:
    content = {**order(ScriptOrder(Program())).as_json(), "script": {**COMMON, **script}}
    found = read_order(written(tmp_path, content)).script
    assert found is not None
    assert found.program.argv("python", found.file) == expected.program.argv("python", expected.file)
    assert found == expected
