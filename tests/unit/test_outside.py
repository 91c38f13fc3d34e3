"""Whatever a run writes into its folder, its readers give values that can be stored, shown and sent."""

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from traindeck.runner.claim import read_record, shim_of
from traindeck.runner.ending import Ending, read_exit, write_exit
from traindeck.runner.outside import DEEPEST, read_object
from traindeck.runner.progress import Progress, ProgressFile, progress_of, read_progress
from traindeck.runs.view import ProgressView, progress_view
from traindeck.sources.tree import read_tree

VALUES = [
    "NaN", "Infinity", "-Infinity", "1e999", "1e308", "-1", "0.5", "true", "null", "[]", "{}", '""', '"x"', '"\\ud800"',
    '"\\u0000"', "9" * 30, "9" * 5000, "-" + "9" * 30, "[" * 100_000, "[" * 40 + "]" * 40, '"' + "a" * 100_000 + '"',
]  # fmt: skip
PROGRESS = {"step": "1", "total": "2", "unit": '"step"', "eta_seconds": "3.5", "label": '"x"'}
ENDING = {
    "exit_code": "1",
    "signal": "null",
    "finished_at": "1.5",
    "seconds": "2",
    "last_line": '"x"',
    "killed": "false",
}
SHIM = {"pid": "7", "start": "8", "boot_id": '"b"', "host": '"h"'}
RECORD = {"shim": "null", "trainer": "null", "claimed_at": "1", "started_at": "2", "start": '"warm"'}
TREE = {"digest": '"d"', "entry": '"a.py"', "root": "null", "files": "[]", "complete": "true"}


def spoiled(fields: dict[str, str]) -> list[str]:
    """The object with each field in turn as each of the values."""
    return [_object({**fields, name: value}) for name in fields for value in VALUES]


def _object(fields: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"


def assert_can_be_stored_and_sent(value: Any) -> None:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    with sqlite3.connect(":memory:") as database:
        for one in value.values() if isinstance(value, dict) else ():
            if isinstance(one, int | float | str):
                database.execute("SELECT ?", (one,))


def test_progress_of_any_content_can_be_shown(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for content in [*VALUES, *spoiled(PROGRESS)]:
        with subtests.test(content=content[:200]):
            path = tmp_path / "progress.json"
            path.write_text(content)
            progress = read_progress(path)
            if progress is not None:
                assert isinstance(progress.step, int)
                assert len(progress.label or "") <= 200
                assert_can_be_stored_and_sent(
                    ProgressView(**{name: getattr(progress, name) for name in PROGRESS}).model_dump()
                )


def test_a_field_that_cannot_be_read_does_not_cost_the_others(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    path.write_text(_object({**PROGRESS, "total": "Infinity", "label": "[]"}))
    assert read_progress(path) == Progress(1, None, "step", 3.5, None)


@pytest.mark.parametrize(
    "stored", [{"step": float("nan")}, {"step": "1"}, {"step": 1, "total": float("inf")}, [1], "x", 7]
)
def test_rows_of_an_older_deck_are_shown_where_they_can_be(stored: Any) -> None:
    view = progress_view(stored)
    assert view is None or (view.step, view.total) == (1, None)
    assert (view is None) == (progress_of(stored) is None)


@pytest.mark.parametrize("number", [float("inf"), float("nan"), "many", None, 10**400, [1, 2], object()])
def test_a_program_may_report_any_total_and_any_step(tmp_path: Path, number: Any) -> None:
    file = ProgressFile(tmp_path / "progress.json")
    file.report(3, number, number, number)
    found = read_progress(file.path)
    assert found is not None
    assert (found.step, found.total) == (3, None)
    file.report(number, 5)
    file.flush()
    assert read_progress(file.path) == found


def test_an_exit_record_of_any_content_can_be_stored(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for content in [*VALUES, *spoiled(ENDING)]:
        with subtests.test(content=content[:200]):
            (tmp_path / "exit.json").write_text(content)
            ending = read_exit(tmp_path)
            if ending is not None:
                datetime.fromtimestamp(ending.finished_at, UTC)
                assert_can_be_stored_and_sent({name: getattr(ending, name) for name in ENDING})


def test_an_exit_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    ending = Ending(None, 9, 1_700_000_000.5, 12.25, stop_asked=True, killed=True, last_line="KeyError: 1")
    write_exit(tmp_path, ending)
    assert read_exit(tmp_path) == ending


def test_a_process_record_of_any_content_names_a_process_or_none(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for content in [
        *VALUES,
        *spoiled(RECORD),
        *(_object({**RECORD, "shim": shim, "trainer": shim}) for shim in spoiled(SHIM)),
    ]:
        with subtests.test(content=content[:200]):
            (tmp_path / "process.json").write_text(content)
            record = read_record(tmp_path)
            if record is not None:
                shim = shim_of(record)
                assert shim is None or (type(shim.pid) is int and 0 < shim.pid < 2**31)
                datetime.fromtimestamp(record.get("started_at", 0), UTC)
                assert_can_be_stored_and_sent(record)


def test_a_manifest_of_any_content_is_a_tree_or_none(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for content in [*VALUES, *spoiled(TREE)]:
        with subtests.test(content=content[:200]):
            (tmp_path / "code.json").write_text(content)
            tree = read_tree(tmp_path / "code.json")
            assert tree is None or all(isinstance(file.path, str) for file in tree.files)


def test_only_ordinary_files_of_bounded_size_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read_object(path) is None
    link = tmp_path / "link"
    (tmp_path / "file").write_text('{"a": 1}')
    link.symlink_to(tmp_path / "file")
    assert read_object(link) is None
    assert read_object(tmp_path / "file", limit_bytes=7) is None
    assert read_object(tmp_path / "file", limit_bytes=8) == {"a": 1}
    assert read_object(tmp_path) is None


def test_deep_content_is_cut_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text('{"a": 1, "b": ' + "[" * (DEEPEST + 5) + "]" * (DEEPEST + 5) + "}")
    found = read_object(path)
    assert found is not None
    assert found["a"] == 1
