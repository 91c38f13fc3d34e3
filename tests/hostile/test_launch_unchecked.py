"""A launch never waits for long for a script that is asked for its options: it is queued, and says that it is unchecked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.served import ServedDeck

OWN_TYPE = """
import argparse, os, time
def slow(text):
    if {test}:
        time.sleep(1000)
    return int(text)
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=slow, default=1)
print(parser.parse_args())
"""


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[ServedDeck]:
    """A deck that waits a tenth of a second, and not ten, for a script that is asked for its options."""
    constants = {"traindeck.launches.submission.CHECK_SECONDS": 0.1}
    deck = ServedDeck(tmp_path / "home", cpus=2, grace_seconds=1, cold=True, constants=constants)
    deck.start()
    yield deck
    deck.end()


def launched(deck: ServedDeck, folder: Path, source: str, *args: str) -> tuple[dict, dict]:
    """A run, and its record."""
    (folder / "train.py").write_text(source)
    run = deck.launch(script={"path": str(folder / "train.py"), "args": list(args)})
    assert deck.wait_until_ended(run["id"], 90)["status"] == "completed", deck.log_of(run["id"])
    return run, deck.client.get(f"/runs/{run['id']}/record").json()


def test_arguments_that_cannot_be_read_in_time_are_not_checked_and_that_is_in_the_record(impatient, tmp_path):
    # Asked for its options, it works in a folder that is thrown away.
    source = OWN_TYPE.format(test="'inspections' in os.getcwd() and text == '7'")
    _, record = launched(impatient, tmp_path, source, "--lr", "7")

    assert "within 0.1 s" in record["unchecked"]
    assert record["argv"][-2:] == ["--lr", "7"]


def test_arguments_that_are_read_in_time_are_checked(target, tmp_path):
    run, record = launched(target, tmp_path, OWN_TYPE.format(test="False"), "--lr", "7")

    assert record["unchecked"] is None
    assert run["params"] == {"lr": 7}
