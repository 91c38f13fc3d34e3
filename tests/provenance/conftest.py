"""A deck whose runs start at once, for all tests here that do not mind each other's, and how to wait for a record."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.served import ServedDeck
from support.waiting import wait_for


@pytest.fixture(scope="package")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    deck = ServedDeck(tmp_path_factory.mktemp("records") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


def recorded(deck: ServedDeck, run_id: int, **query: Any) -> dict[str, Any]:
    """The record of a run, once it is written."""

    def written() -> dict[str, Any] | None:
        answer = deck.client.get(f"/runs/{run_id}/record", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.json()["recorded_at"] else None

    return wait_for(written, f"run {run_id} is recorded")
