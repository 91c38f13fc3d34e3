"""Arguments that do not come from the command line alone, or that a script reads in a way of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from traindeck.executors.local.inspector import Inspector
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Target

Script = Callable[[str], Target]

JSON_INSTEAD = """
import argparse, json, sys
{before}
if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
    print(json.load(open(sys.argv[1])))
    {end}
else:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    print(parser.parse_args())
"""
FROM_FILE = """
import argparse, enum, pathlib
class Kind(enum.Enum):
    A = "a"
    B = "b"
parser = argparse.ArgumentParser(fromfile_prefix_chars="@+")
parser.add_argument("--gpus", type=int, choices=[0, 1, 2], default=0)
parser.add_argument("--rates", type=float, nargs="+", default=[0.1, 0.01])
parser.add_argument("--data", action="append", default=[])
parser.add_argument("--path", type=pathlib.Path, default=pathlib.Path("x"))
parser.add_argument("--ints", type=lambda s: [int(x) for x in s.split(",")], default=[1, 2])
group = parser.add_mutually_exclusive_group(required=True)
group.add_argument("--cpu", action="store_true")
group.add_argument("--gpu", action="store_true")
parser.add_argument("--name", required=True)
parser.add_argument("rest", nargs="*")
parser.parse_args()
"""


@pytest.mark.parametrize(("end", "refused"), [("pass", False), ("sys.exit()", False), ("sys.exit(0)", False),
                                              ("import os; os._exit(0)", False), ("sys.exit(2)", True), ("1 / 0", True)])  # fmt: skip
def test_a_script_that_ends_well_without_its_parser_does_not_refuse_its_arguments(
    inspector: Inspector, script: Script, folder: Path, end: str, refused: bool
) -> None:
    (folder / "args.json").write_text('{"model": "m"}')
    inspection = inspector.inspect(script(JSON_INSTEAD.format(before="", end=end)))
    args, params, errors = resolve_script_params(inspection, ["args.json"], {}, parsing=inspector)

    assert args == ["args.json"]
    assert params == {}
    assert [error.field for error in errors] == (["script.args"] if refused else [])
    assert resolve_script_params(inspection, ["a.txt"], {}, parsing=inspector)[2][0].field == "script.args"
    assert resolve_script_params(inspection, ["--model", "x"], {}, parsing=inspector) == (
        ["--model", "x"], {"model": "x"}, [],
    )  # fmt: skip


def test_a_script_that_goes_on_without_its_parser_does_not_refuse_its_arguments(
    launcher, script: Script, folder: Path, tmp_path: Path
) -> None:
    (folder / "args.json").write_text("{}")
    inspector = Inspector(launcher, tmp_path / "other", cold_seconds=3)
    inspection = inspector.inspect(script(JSON_INSTEAD.format(before="import time", end="time.sleep(1000)")))

    assert resolve_script_params(inspection, ["args.json"], {}, parsing=inspector) == (["args.json"], {}, [])


def test_arguments_that_stand_in_a_file_are_recorded_as_the_script_has_them(
    inspector: Inspector, script: Script, folder: Path
) -> None:
    (folder / "args.txt").write_text("--name\nfromfile\n--cpu\n--rates\n1\n2\n--ints\n3,4\n")
    inspection = inspector.inspect(script(FROM_FILE))
    args, params, errors = resolve_script_params(
        inspection, ["@args.txt", "--gpus", "1", "+more"], {}, parsing=inspector
    )
    assert errors[0].field == "script.args"
    (folder / "more").write_text("--data\nd\nr\n")
    args, params, errors = resolve_script_params(
        inspection, ["@args.txt", "--gpus", "1", "+more"], {}, parsing=inspector
    )

    assert (args, errors) == (["@args.txt", "--gpus", "1", "+more"], [])
    assert (params["gpus"], params["cpu"], params["gpu"], params["name"]) == (1, True, False, "fromfile")
    assert (params["rates"], params["data"], params["rest"]) == ([1.0, 2.0], ["d"], ["r"])
    assert (params["path"], params["ints"]) == ("x", [3, 4])


def test_arguments_in_a_file_do_not_go_with_params(inspector: Inspector, script: Script, folder: Path) -> None:
    (folder / "args.txt").write_text("--name\nfromfile\n--cpu\n")
    inspection = inspector.inspect(script(FROM_FILE))
    _, _, errors = resolve_script_params(inspection, ["@args.txt"], {"gpus": 1}, parsing=inspector)

    assert [error.field for error in errors] == ["script.args"]
