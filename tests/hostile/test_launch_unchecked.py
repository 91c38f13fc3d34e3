"""A launch never waits for long for a script that is asked for its options: it is queued, and says that it is unchecked."""

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


def launched(deck: ServedDeck, folder: Path, source: str, *args: str) -> dict:
    (folder / "train.py").write_text(source)
    run = deck.launch(script={"path": str(folder / "train.py"), "args": list(args)})
    assert deck.wait_until_ended(run["id"], 90)["status"] == "completed", deck.log_of(run["id"])
    return deck.client.get(f"/runs/{run['id']}/record").json()


def test_arguments_that_cannot_be_read_in_time_are_not_checked_and_that_is_in_the_record(deck, folder):
    # Asked for its options, it works in a folder that is thrown away.
    source = OWN_TYPE.format(test="'inspections' in os.getcwd() and text == '7'")
    record = launched(deck, folder, source, "--lr", "7")

    assert "within 10 s" in record["unchecked"]
    assert record["argv"][-2:] == ["--lr", "7"]

    (folder / "quick.py").write_text(OWN_TYPE.format(test="False"))
    run = deck.launch(script={"path": str(folder / "quick.py"), "args": ["--lr", "7"]})
    assert deck.client.get(f"/runs/{run['id']}/record").json()["unchecked"] is None
    assert run["params"] == {"lr": 7}
