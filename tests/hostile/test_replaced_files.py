"""A run that puts a pipe, a folder, a link or a socket in the place of any file of its own holds nothing up."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.conftest import home_of, script_that_writes
from events.eventfiles import NAME, scalar, version
from support.served import ServedDeck

KINDS = {
    "pipe": "os.mkfifo(path)",
    "folder": "os.mkdir(path)",
    "link": "os.symlink('/dev/zero', path)",
    "socket": "os.chdir(path.parent); socket.socket(socket.AF_UNIX).bind(path.name)",
}
OF_ATTEMPT = (
    "output.log", "order.json", "process.json", "exit.json", "progress.json", "bars.json", "environment.json",
    "packages.json", "checkpoints.json", "imported.json", "scalars/lock", "scalars/state", "scalars/state.partial",
)  # fmt: skip
OF_RUN = ("spec.json", "code.json", "git.json", "uncommitted.diff", "code/script.py")
REPLACES = """
import os, pathlib, shutil, socket
attempt = pathlib.Path.cwd().parent
def replace(path):
    path.parent.mkdir(exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    {make}
"""
NOW = """
print("%|███| 1/2 [00:01<00:01, 1.00s/it]", flush=True)
for path in [*(attempt / name for name in {of_attempt}), *(attempt.parent / name for name in {of_run})]:
    replace(path)
replace(attempt / "work" / "{event_file}")
"""
LOOKS = (
    "", "/log", "/log?offset=0&limit=10", "/log/search?q=x", "/record", "/files", "/files/script.py", "/scalars",
    "/scalars?tag=loss", "/code", "/code/script.py", "/code.zip", "/diff", "/tensorboard-state",
)  # fmt: skip
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    deck = ServedDeck(tmp_path_factory.mktemp("replaced") / "home", cpus=2, grace_seconds=2, cold=True)
    deck.start()
    yield deck
    deck.end()


def assert_it_answers(client: httpx.Client, run_id: int) -> None:
    for path in ("/runs", "/healthz", f"/launch?from={run_id}", *(f"/runs/{run_id}{look}" for look in LOOKS)):
        for headers in ({}, HTML):
            answer = client.get(path, headers=headers, timeout=10)
            assert answer.status_code < 500, f"{path}: {answer.text[:300]}"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_in_the_place_of_one_holds_nothing_up(deck: ServedDeck, kind: str) -> None:
    events = script_that_writes({NAME: version() + b"".join(scalar("loss", step, 1.0) for step in range(100))})
    filled = {"of_attempt": OF_ATTEMPT, "of_run": OF_RUN, "event_file": NAME}
    source = events + REPLACES.replace("{make}", KINDS[kind]) + NOW.format(**filled)
    run = deck.launch(source, name=kind)

    ended = deck.wait_until_ended(run["id"])
    assert ended["log_size"] == 0
    assert_it_answers(deck.client, run["id"])
    after = deck.launch("print('after')")
    assert deck.wait_until_ended(after["id"])["status"] == "completed"
    # None of them may be left for what ends the deck's processes by their orders.
    assert deck.client.delete(f"/runs/{run['id']}", timeout=10).status_code == 204
    assert not home_of(deck, run["id"]).exists()


def test_a_run_that_says_it_was_imported_is_taken_for_what_it_is(deck: ServedDeck, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("not of this run")
    says = {"../imported.json": json.dumps({"folder": str(tmp_path)}).encode(), "own.txt": b"of this run"}
    run = deck.launch(script_that_writes(says), name="pretender")
    assert deck.wait_until_ended(run["id"])["status"] == "completed"

    listed = deck.client.get(f"/runs/{run['id']}/files").json()["items"]
    assert [one["path"] for one in listed] == ["own.txt"]
    assert deck.client.get(f"/runs/{run['id']}/files/secret.txt").status_code == 404
    assert deck.client.delete(f"/runs/{run['id']}").status_code == 204
    assert (tmp_path / "secret.txt").exists()
