"""Slow routes, many times at once: everything else goes on answering."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.served import ServedDeck
from support.waiting import wait_for

AT_ONCE = 60
"""More than there are threads for all ordinary routes together."""

AT_MOST_SECONDS = 6.0
"""Far above what a page takes on a busy machine, and far below what it waited for a thread."""

SLOW = "import argparse, time\ntime.sleep(8)\nargparse.ArgumentParser().parse_args()  # {}\n"
KNOWN = "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float)\nparser.parse_args()\n"


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck that is being asked for the options of many slow scripts."""
    deck = ServedDeck(tmp_path_factory.mktemp("slow") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    deck.client.post("/scripts/inspect", json={"script": {"source": KNOWN}}).raise_for_status()
    bodies = [{"script": {"source": SLOW.format(number)}} for number in range(AT_ONCE)]
    sent = [send(deck, "/scripts/inspect", body) for body in bodies[::2]]
    sent += [send(deck, "/launch/options", body) for body in bodies[1::2]]
    wait_for(lambda: any((deck.home / "cache" / "inspections").iterdir()), "the first inspection has begun")
    yield deck
    for connection in sent:
        connection.close()
    deck.kill()
    deck.end()


def send(deck: ServedDeck, path: str, body: dict) -> socket.socket:
    host, port = deck.url.removeprefix("http://").split(":")
    content = json.dumps(body).encode()
    connection = socket.create_connection((host, int(port)))
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    return connection


def timed(deck: ServedDeck, method: str, path: str, **options) -> float:
    started = time.monotonic()
    answer = deck.client.request(method, path, timeout=60, **options)
    assert answer.status_code in (200, 201), answer.text
    return time.monotonic() - started


@pytest.mark.parametrize("path", ["/runs", "/healthz", "/launch", "/trainers"])
def test_pages_answer_beside_many_slow_inspections(flooded, path):
    assert timed(flooded, "GET", path, headers={"Accept": "text/html"}) < AT_MOST_SECONDS


def test_a_script_that_is_known_has_its_form_at_once(flooded):
    assert timed(flooded, "POST", "/scripts/inspect", json={"script": {"source": KNOWN}}) < AT_MOST_SECONDS
    assert timed(flooded, "POST", "/launch/options", json={"script": {"source": KNOWN}}) < AT_MOST_SECONDS


def test_runs_are_queued_beside_many_slow_inspections(flooded):
    known = {"script": {"source": KNOWN}, "params": {"lr": 0.1}, "resources": {"cpus": 1}}
    assert timed(flooded, "POST", "/runs", json=known) < AT_MOST_SECONDS
    assert timed(flooded, "POST", "/runs", json={"trainer": "tour", "params": {"steps": 1}}) < AT_MOST_SECONDS
    assert timed(flooded, "POST", "/runs", json={"script": {"source": "print(1)\n"}}) < AT_MOST_SECONDS


def test_a_run_of_a_slow_script_is_queued_unchecked_where_too_many_others_are_asked(flooded):
    slow = {"script": {"source": SLOW.format("launched")}, "resources": {"cpus": 2}}
    assert timed(flooded, "POST", "/runs", json=slow) < 2 * AT_MOST_SECONDS


def test_files_are_received_beside_many_slow_inspections(flooded, tmp_path: Path):
    file = {"file": ("train.py", b"print(1)\n")}
    assert timed(flooded, "POST", "/uploads", files=file) < AT_MOST_SECONDS
