"""The tab that tells what ran, and on what."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pages.markup import Element, read
from pages.sample_runs import HOSTILE, run_view
from traindeck.pages.setup_tab import render_setup
from traindeck.runs.status import Status
from traindeck.runs.view import RecordView, RunView

GIT = {
    "commit": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    "branch": "main",
    "dirty": True,
    "remote": "https://example.org/nets.git",
    "folder": "vision",
    "untracked": ["notes.txt"],
    "untracked_truncated": False,
    "diff_bytes": 120,
    "diff_truncated": False,
    "read_at": "2026-01-02T03:04:05.678Z",
}
RECORD: dict[str, Any] = {
    "run": 42,
    "attempt": 1,
    "recorded_at": "2026-01-02T03:04:06Z",
    "start": "warm",
    "command": "python /p/vision/train.py --lr 0.1",
    "argv": [],
    "cwd": "/p/vision",
    "code": {"entry": "train.py", "digest": "ab" * 32, "root": "/p/vision", "files": 2, "bytes": 30, "complete": True},
    "git": GIT,
    "python": {
        "version": "3.11.7",
        "implementation": "CPython",
        "executable": "/venv/bin/python",
        "prefix": "/venv",
        "guessed": False,
    },
    "torch": {"version": "2.15.0", "cuda": None, "hip": None},
    "packages": [
        {"name": "numpy", "version": "2.4.1", "editable": False, "origin": None},
        {"name": "nets", "version": "0.1", "editable": True, "origin": "file:///p/nets"},
    ],
    "environment": {"MODE": "fast", "API_TOKEN": "***"},
    "host": {
        "name": "ada",
        "os": "Debian GNU/Linux 12",
        "kernel": "6.1",
        "machine": "x86_64",
        "cpu": "AMD EPYC",
        "cpu_cores": 8,
        "cpu_threads": 16,
        "memory_bytes": 64_000_000_000,
        "gpus": [{"index": 0, "name": "H200", "memory_bytes": 150_000_000_000, "held": True}],
        "gpu_driver": "570.1",
    },
}
UNKNOWN = dict.fromkeys(("recorded_at", "cwd", "code", "git", "python", "torch", "packages", "environment", "host"))
FILES = [("model.py", 10), ("train.py", 20)]


def record(**changes: Any) -> RecordView:
    return RecordView.model_validate({**RECORD, **changes})


def render(run: RunView | None = None, files: list[tuple[str, int]] | None = None, **changes: Any) -> Element:
    return read(render_setup(run or run_view(), record(**changes), FILES if files is None else files))


def card(page: Element, title: str) -> Element:
    found = [each for each in page.all("section", class_="card") if each.one("h2").words().startswith(title)]
    assert len(found) == 1
    return found[0]


def facts(element: Element) -> dict[str, str]:
    return {div.one("dt").words(): div.one("dd").words() for list_ in element.all("dl") for div in list_.all("div")}


def test_the_command_can_be_copied_and_says_how_it_was_started_and_where() -> None:
    command = card(render(), "Command")
    assert command.one("pre", id="setup-command").words() == "python /p/vision/train.py --lr 0.1"
    assert command.one("button").attributes["data-copy"] == "setup-command"
    assert "Warm start" in command.words()
    assert "/p/vision" in command.words()
    assert "Cold start: a new Python process." in card(render(start="cold"), "Command").words()


def test_the_code_is_listed_with_what_was_started_first() -> None:
    code = card(render(), "Code")
    files = [fold for fold in code.all("details") if "data-code" in fold.attributes]
    assert [fold.attributes["data-code"] for fold in files] == ["/runs/42/code/train.py", "/runs/42/code/model.py"]
    assert "started" in files[0].one("summary").words()
    assert "2 files, 30 B" in code.words()


def test_many_files_are_folded_away() -> None:
    fold = card(render(files=[(f"m{number}.py", 1) for number in range(50)]), "Code").all("details")[0]
    assert "open" not in fold.attributes
    assert "open" in card(render(), "Code").all("details")[0].attributes


def test_code_that_is_not_complete_says_so() -> None:
    note = card(render(code={**RECORD["code"], "complete": False}), "Code").one("p", class_="setup-note")
    assert "too large" in note.words()


def test_git_tells_commit_branch_remote_and_what_was_not_committed() -> None:
    git = card(render(), "Git")
    told = facts(git)
    assert (told["Commit"], told["Branch"], told["Changes"]) == ("0a1b2c3d4e", "main", "not committed")
    assert told["Remote"] == "https://example.org/nets.git"
    assert [fold.attributes["data-diff"] for fold in git.all("details") if "data-diff" in fold.attributes] == [
        "/runs/42/diff"
    ]
    assert git.one("ul", class_="untracked").words() == "notes.txt"


def test_a_clean_tree_has_no_diff_to_show() -> None:
    git = card(render(git={**GIT, "dirty": False, "diff_bytes": 0, "untracked": []}), "Git")
    assert facts(git)["Changes"] == "all committed"
    assert git.all("details") == []


def test_git_that_was_too_slow_says_what_could_not_be_read() -> None:
    git = card(render(git={**GIT, "dirty": None, "diff_bytes": None, "commit": None, "branch": None}), "Git")
    told = facts(git)
    assert (told["Commit"], told["Changes"]) == ("none yet", "could not be read in time")


def test_python_torch_machine_and_gpus_are_told() -> None:
    page = render()
    assert facts(card(page, "Python")) == {
        "Python": "3.11.7 (CPython)",
        "Interpreter": "/venv/bin/python",
        "torch": "2.15.0",
        "CUDA of torch": "none: CPU only",
    }
    machine = facts(card(page, "Machine"))
    assert machine["GPU 0"] == "H200, 150 GB, held by this run"
    assert machine["Memory"] == "64 GB"


def test_packages_can_be_filtered_and_say_where_they_came_from() -> None:
    packages = card(render(), "Packages")
    assert packages.one("input", data_filters="packages")
    assert facts(packages) == {"numpy": "2.4.1", "nets": "0.1editable file:///p/nets"}


def test_masked_secrets_are_counted() -> None:
    environment = card(render(), "Environment")
    assert "1 secret is masked" in environment.words()
    assert facts(environment)["API_TOKEN"] == "***"


def test_a_run_that_waits_says_that_it_has_not_started() -> None:
    page = render(run_view(Status.QUEUED), **UNKNOWN)
    for title in ("Python", "Machine", "Packages", "Environment"):
        assert "The run has not started." in card(page, title).words()
    assert page.all("div", class_="setup")[0].attributes.get("data-pending") is None


def test_what_is_still_being_read_says_so_and_is_asked_for_again() -> None:
    now = datetime.now(UTC)
    page = render(run_view(created_at=now, started_at=now), **{**UNKNOWN, "code": RECORD["code"]})
    assert "data-pending" in page.one("div", class_="setup").attributes
    assert "Git is being read…" in card(page, "Git").words()
    assert "being read" in card(page, "Packages").words()


def test_where_git_is_not_asked_the_tab_says_at_once_that_there_is_no_repository() -> None:
    now = datetime.now(UTC)
    run = run_view(created_at=now, started_at=now)
    page = read(render_setup(run, record(**{**UNKNOWN, "code": RECORD["code"]}), FILES, asks_git=False))
    assert "no git repository" in card(page, "Git").words()
    assert "data-pending" in page.one("div", class_="setup").attributes
    known = read(render_setup(run, record(git=None), FILES, asks_git=False))
    assert "data-pending" not in known.one("div", class_="setup").attributes


def test_options_that_were_not_checked_are_told_as_such() -> None:
    page = render(unchecked="it did not come to a parser within 10 s")
    assert "not checked before the run was queued: it did not come to a parser" in card(page, "Command").words()
    assert "not checked" not in card(render(), "Command").words()


def test_a_run_that_is_just_starting_is_asked_for_again() -> None:
    page = render(run_view(Status.STARTING, started_at=None), **UNKNOWN)
    assert "data-pending" in page.one("div", class_="setup").attributes


def test_a_run_of_an_older_deck_says_what_is_not_known_and_asks_no_more() -> None:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    page = render(run_view(Status.COMPLETED, created_at=long_ago, started_at=long_ago), files=[], **UNKNOWN)
    assert "data-pending" not in page.one("div", class_="setup").attributes
    for title in ("Python", "Machine", "Packages", "Environment"):
        assert "Unknown for this run." in card(page, title).words()
    assert "no code of its own" in card(page, "Code").words()


@pytest.mark.parametrize("part", ["git", "environment", "packages", "host"])
def test_hostile_text_is_shown_as_text(part: str) -> None:
    hostile: dict[str, Any] = {
        "git": {**GIT, "branch": HOSTILE, "untracked": [HOSTILE]},
        "environment": {HOSTILE: HOSTILE},
        "packages": [{"name": HOSTILE, "version": HOSTILE, "origin": HOSTILE}],
        "host": {**RECORD["host"], "name": HOSTILE},
    }
    page = render(files=[(HOSTILE, 1)], **{part: hostile[part]})
    assert HOSTILE in page.words()
    assert page.all("img") == []


def test_how_a_run_was_started_is_not_said_where_its_command_is_unknown() -> None:
    words = card(render(command="", cwd=None), "Command").words()
    assert "Unknown for this run." in words
    assert "start:" not in words
