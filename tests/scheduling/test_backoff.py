"""Retries that a run makes by itself, with a real dispatcher."""

from datetime import datetime

import pytest

from support.served import ServedDeck
from support.waiting import wait_for

FAILS = "raise SystemExit(3)"
FAILS_TWICE = """
import os, sys
sys.exit(0 if os.environ["TRAINDECK_ATTEMPT"] == "3" else 3)
"""


def starts_of(deck: ServedDeck, run_id: int) -> list[float]:
    """When each attempt was claimed, in seconds."""
    from traindeck.db.engine import Database
    from traindeck.runs.queries import run_history

    database = Database(deck.home / "deck.db")
    with database.read() as session:
        at = [entry.at for entry in run_history(session, run_id) if entry.to_status == "starting"]
    database.close()
    return [one.timestamp() for one in at]


def test_a_run_is_tried_again_after_two_and_four_seconds(deck: ServedDeck) -> None:
    run = deck.launch(FAILS_TWICE, max_retries=3)
    waiting = wait_for(lambda: (now := deck.run(run["id"]))["not_before"] and now, "it waits for its retry")
    assert waiting["waiting_for"] in ("retry 1 of 3 in 2 s", "retry 1 of 3 in 1 s")
    assert datetime.fromisoformat(waiting["not_before"]).tzinfo is not None
    # What comes meanwhile does not wait for it.
    other = deck.launch("pass")
    deck.wait_for_status(other["id"], "completed")
    ended = deck.wait_for_status(run["id"], "completed")
    assert (ended["attempt"], ended["not_before"]) == (3, None)
    first, second, third = starts_of(deck, run["id"])
    assert second - first >= 2
    assert third - second >= 4


def test_a_retry_that_waits_can_be_started_now_or_cancelled(deck: ServedDeck) -> None:
    run = deck.launch(FAILS, max_retries=9)
    wait_for(lambda: deck.run(run["id"])["attempt"] >= 2 and deck.run(run["id"])["not_before"], "it waits longer")
    assert deck.client.post(f"/runs/{run['id']}/retry").json()["not_before"] is None
    wait_for(lambda: deck.run(run["id"])["attempt"] >= 3, "it started")
    wait_for(lambda: deck.run(run["id"])["not_before"], "it waits again")
    assert deck.client.post(f"/runs/{run['id']}/cancel").json()["status"] == "cancelled"


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_wait_outlives_the_server(deck: ServedDeck, end: str) -> None:
    run = deck.launch(FAILS, max_retries=1)
    wait_for(lambda: deck.run(run["id"])["not_before"], "it waits for its retry")
    getattr(deck, end)()
    deck.start()
    ended = deck.wait_for_status(run["id"], "failed")
    assert ended["attempt"] == 2
    first, second = starts_of(deck, run["id"])
    assert second - first >= 2
