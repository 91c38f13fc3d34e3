"""Slow routes, many times at once: everything else goes on answering."""

import json
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.served import ServedDeck
from support.waiting import wait_for

AT_ONCE = 60
"""More than there are threads for all ordinary routes together."""
THREADS = 40
TRIES = 3
TIMES = 5
"""How often each request is sent: the first may overtake those of the flood that are not looked at yet."""

SLOW = "import argparse, time\ntime.sleep(25)\nargparse.ArgumentParser().parse_args()  # {}\n"
KNOWN = "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float)\nparser.parse_args()\n"


class Flood:
    """Requests for the options of many slow scripts, none of which the deck knows."""

    def __init__(self, deck: ServedDeck) -> None:
        self.deck = deck
        self.scripts = 0
        self.waiting: list[socket.socket] = []

    def fill(self) -> None:
        """Send a new request for each that was answered, until all wait."""
        for connection in self._answered():
            self.waiting.remove(connection)
            connection.close()
        while len(self.waiting) < AT_ONCE:
            self.waiting.append(self._send(("/scripts/inspect", "/launch/options")[self.scripts % 2]))

    def does_not_delay(self, method: str, path: str, **options) -> bool:
        """Whether requests are answered before those that came earlier and hold the threads, if they do."""
        # They give up after some time. On a slow machine that may be during the requests, which are then sent again.
        for _ in range(TRIES):
            self.fill()
            for _ in range(TIMES):
                answer = self.deck.client.request(method, path, timeout=60, **options)
                assert answer.status_code in (200, 201), answer.text
            if len(self._answered()) <= AT_ONCE - THREADS:
                return True
        return False

    def close(self) -> None:
        for connection in self.waiting:
            connection.close()

    def _answered(self) -> list[socket.socket]:
        return select.select(self.waiting, [], [], 0)[0]

    def _send(self, path: str) -> socket.socket:
        self.scripts += 1
        host, port = self.deck.url.removeprefix("http://").split(":")
        content = json.dumps({"script": {"source": SLOW.format(self.scripts)}}).encode()
        connection = socket.create_connection((host, int(port)))
        head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        return connection


@pytest.fixture(scope="module")
def flood(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flood]:
    """A deck that is being asked for the options of many slow scripts."""
    deck = ServedDeck(tmp_path_factory.mktemp("slow") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    deck.client.post("/scripts/inspect", json={"script": {"source": KNOWN}}).raise_for_status()
    flood = Flood(deck)
    flood.fill()
    wait_for(lambda: any((deck.home / "cache" / "inspections").iterdir()), "the first inspection has begun")
    yield flood
    flood.close()
    deck.kill()
    deck.end()


@pytest.mark.parametrize("path", ["/runs", "/healthz", "/launch", "/trainers"])
def test_pages_answer_beside_many_slow_inspections(flood, path):
    assert flood.does_not_delay("GET", path, headers={"Accept": "text/html"})


def test_a_script_that_is_known_has_its_form_at_once(flood):
    assert flood.does_not_delay("POST", "/scripts/inspect", json={"script": {"source": KNOWN}})
    assert flood.does_not_delay("POST", "/launch/options", json={"script": {"source": KNOWN}})


def test_runs_are_queued_beside_many_slow_inspections(flood):
    known = {"script": {"source": KNOWN}, "params": {"lr": 0.1}, "resources": {"cpus": 1}}
    assert flood.does_not_delay("POST", "/runs", json=known)
    assert flood.does_not_delay("POST", "/runs", json={"trainer": "tour", "params": {"steps": 1}})
    assert flood.does_not_delay("POST", "/runs", json={"script": {"source": "print(1)\n"}})


def test_a_run_of_a_slow_script_is_queued_unchecked_where_too_many_others_are_asked(flood):
    slow = {"script": {"source": SLOW.format("launched")}, "resources": {"cpus": 2}}
    assert flood.does_not_delay("POST", "/runs", json=slow)


def test_files_are_received_beside_many_slow_inspections(flood, tmp_path: Path):
    file = {"file": ("train.py", b"print(1)\n")}
    assert flood.does_not_delay("POST", "/uploads", files=file)
