"""Many changes at once, none of which can be written at the moment: pages answer meanwhile, and all are written then."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from support.served import ServedDeck

AT_ONCE = 60
"""More than there are threads for all ordinary routes together."""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def locked(target: ServedDeck) -> Iterator[threading.Event]:
    """The deck's database, locked from outside until the event is set."""
    release, is_locked = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(target.home / "deck.db", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            is_locked.set()
            release.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_locked.wait(30)
    yield release
    release.set()
    holder.join()


@pytest.mark.parametrize("kind", ["edit", "launch", "cancel", "direction"])
def test_changes_that_wait_for_the_database_keep_no_page_waiting(
    target: ServedDeck, request: pytest.FixtureRequest, kind: str
) -> None:
    run = target.launch("print(1)")
    target.wait_until_ended(run["id"])
    method, path, body, done = {
        "edit": ("PATCH", f"/runs/{run['id']}", {"notes": "edited"}, 200),
        "launch": ("POST", "/runs", {"trainer": "mnist", "resources": {"cpus": 2}}, 201),
        "cancel": ("POST", f"/runs/{run['id']}/cancel", {}, 409),
        "direction": ("PATCH", "/metric-directions", {"tag": "x", "better": "lower"}, 200),
    }[kind]
    release = request.getfixturevalue("locked")
    arrived = threading.Barrier(AT_ONCE + 1)

    def change() -> int:
        with httpx.Client(base_url=target.url, timeout=60, trust_env=False, verify=False) as client:
            client.get("/healthz")
            arrived.wait(30)
            return client.request(method, path, content=json.dumps(body), headers=JSON).status_code

    with ThreadPoolExecutor(AT_ONCE) as senders:
        changes = [senders.submit(change) for _ in range(AT_ONCE)]
        arrived.wait(30)
        for page in ("/runs", f"/runs/{run['id']}", "/healthz"):
            answer = target.client.get(page, headers={"Accept": "text/html"})
            assert answer.status_code == 200
        assert not any(one.done() for one in changes)
        release.set()
        assert {one.result() for one in changes} == {done}
    for status in ("queued", "starting", "running"):
        for left in target.client.get("/runs", params={"status": status, "limit": 500}).json()["items"]:
            target.client.post(f"/runs/{left['id']}/cancel")
