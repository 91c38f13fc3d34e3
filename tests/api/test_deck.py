"""What holds of every answer; trainers, health, who gets a page, and what a failure tells."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.conftest import PROBLEM, problem_of
from support.served import ServedDeck
from support.waiting import wait_for

ANSWERS = [
    ("GET", "/", 307),
    ("GET", "/runs", 200),
    ("GET", "/runs/999999", 404),
    ("GET", "/runs/x", 422),
    ("GET", "/none", 404),
    ("GET", "/static/none", 404),
    ("PUT", "/runs", 405),
    ("POST", "/runs", 422),
    ("GET", "/trainers", 200),
    ("GET", "/healthz", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/launch", 200),
    ("GET", "/docs", 404),
]


@pytest.mark.parametrize("accept", ["application/json", "text/html", "*/*"])
@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_carries_the_policy_of_the_deck(client, method, path, status, accept):
    response = client.request(method, path, headers={"Accept": accept})

    assert response.status_code == status
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert "server" not in response.headers
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(("method", "path", "status"), [row for row in ANSWERS if row[2] >= 400])
def test_every_error_is_a_problem_that_says_what_to_do(client, method, path, status):
    problem_of(client.request(method, path), status)


@pytest.mark.parametrize(("method", "path", "status"), [row for row in ANSWERS if row[2] >= 400])
def test_an_error_is_a_page_for_a_browser(client, method, path, status):
    response = client.request(method, path, headers={"Accept": "text/html,application/xhtml+xml"})

    assert response.headers["content-type"].startswith("text/html")
    assert str(status) in response.text


def test_a_wrong_method_says_which_is_right(client):
    response = client.put("/runs/1")

    assert (
        problem_of(response, 405)["detail"] == f"PUT is not allowed at this address: use {response.headers['allow']}."
    )


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
    ],
)
def test_a_browser_gets_a_page_and_a_program_gets_json_at_the_same_address(client, written, accept, kind):
    for path in ("/runs", f"/runs/{written}"):
        response = client.get(path, headers={"Accept": accept})
        assert response.headers["content-type"].startswith(kind)
        assert "Accept" in response.headers["vary"]
        assert response.headers["cache-control"] == "no-store"


def test_the_installed_trainers_are_listed_with_the_schema_of_their_parameters(client):
    listing = client.get("/trainers").json()

    trainers = {one["name"]: one for one in listing["items"]}
    assert {"mnist", "tour"} <= set(trainers)
    assert trainers["tour"]["params_schema"]["properties"]["steps"]["maximum"] == 1000
    assert all(one["title"] and one["description"] for one in trainers.values())


def test_health_says_what_the_deck_has(client):
    health = client.get("/healthz").json()

    assert (health["status"], health["cpus"], health["gpus"]) == ("ok", 2, 0)


def write_from_outside(deck: ServedDeck, statement: str) -> None:
    """What no deck does: the test breaks a row, to see what is said of it."""
    with closing(sqlite3.connect(deck.home / "deck.db")) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_failure_tells_a_number_that_is_in_the_log_and_nothing_else(deck: ServedDeck):
    run_id = deck.wait_until_ended(deck.launch("pass")["id"])["id"]
    write_from_outside(deck, f"UPDATE run SET params = 'not json' WHERE id = {run_id}")

    response = deck.client.get(f"/runs/{run_id}")
    page = deck.client.get(f"/runs/{run_id}", headers={"Accept": "text/html"})

    content = problem_of(response, 500)
    assert re.fullmatch(r"[0-9a-f]{8}", content["reference"])
    for text in (response.text, page.text):
        assert not re.search(r"Traceback|SELECT|\.py|sqlite|deck\.db|" + re.escape(str(deck.home)), text)
    for answer in (response, page):
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
    wait_for(lambda: f"reference={content['reference']}" in deck.log, "the log has the number")
    assert page.status_code == 500
    assert deck.client.get("/healthz").status_code == 200


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[ServedDeck]:
    """A deck that soon gives up waiting for a lock."""
    constants = {"traindeck.db.engine.BUSY_TIMEOUT_SECONDS": 0.3}
    deck = ServedDeck(tmp_path / "home", cpus=2, cold=True, constants=constants)
    deck.start()
    yield deck
    deck.end()


def test_a_database_locked_from_outside_is_said_and_passes(impatient: ServedDeck):
    deck = impatient
    with closing(sqlite3.connect(deck.home / "deck.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        response = deck.client.post("/runs", json={"script": {"source": "pass"}})
        assert problem_of(response, 503)["detail"]
        assert response.headers["retry-after"] == "2"
        assert deck.client.get("/runs").json()["total"] == 0
        other.execute("ROLLBACK")

    assert deck.wait_until_ended(deck.launch("pass")["id"])["status"] == "completed"


def test_a_home_that_has_vanished_is_said_and_no_new_one_made(deck: ServedDeck):
    moved = deck.home.with_name("moved")
    url = deck.url
    deck.home.rename(moved)
    try:
        launch = deck.client.post("/runs", json={"script": {"source": "pass"}})
        assert problem_of(launch, 503)["detail"]
        assert "is gone" in problem_of(deck.client.get("/healthz"), 503)["detail"]
        assert not deck.home.exists()
    finally:
        moved.rename(deck.home)
    assert deck.url == url
    assert deck.client.get("/healthz").status_code == 200
    assert deck.wait_until_ended(deck.launch("pass")["id"])["status"] == "completed"
    assert PROBLEM in launch.headers["content-type"]
