"""A script that takes its time to come to its parser."""

from support.waiting import wait_for

SLOW = """
import argparse, os, time
deadline = time.monotonic() + 3
while time.monotonic() < deadline:
    time.sleep(0.05)
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.25)
print(parser.parse_args())
"""


def test_its_run_is_queued_at_once_and_has_its_parameters_as_soon_as_they_are_known(program_deck):
    run = program_deck.launch(SLOW)
    assert run["params"] == {}

    wait_for(lambda: program_deck.run(run["id"])["params"] == {"lr": 0.25}, "its parameters are there")
    found = program_deck.client.get("/runs", params={"q": "params.lr:0.25"}).json()
    assert run["id"] in [item["id"] for item in found["items"]]


def test_its_arguments_are_checked_before_it_is_queued(program_deck):
    script = {"source": SLOW.replace("0.25", "0.5"), "filename": "slow.py", "args": ["--lr", "fast"]}

    response = program_deck.client.post("/runs", json={"script": script})

    assert response.status_code == 422
    assert "--lr" in response.json()["detail"]
