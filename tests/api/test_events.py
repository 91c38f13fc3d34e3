"""GET /events: one stream for everything that changes."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import psutil
import pytest

from api.conftest import problem_of
from support.served import ServedDeck
from support.waiting import wait_for

Event = tuple[str, dict]


@contextmanager
def listening(deck: ServedDeck, **params) -> Iterator[Iterator[Event]]:
    """The events of a stream, each as its name and its data."""
    with httpx.stream("GET", f"{deck.url}/events", params=params, timeout=20, trust_env=False) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"].startswith("no-")
        yield events_of(response)


def events_of(response: httpx.Response) -> Iterator[Event]:
    # Not iter_lines: it breaks at characters that are no end of a line in such a stream.
    waiting = ""
    for text in response.iter_text():
        *events, waiting = (waiting + text).split("\r\n\r\n")
        for lines in (event.split("\r\n") for event in events):
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            if "event" in fields:
                yield fields["event"], json.loads(fields["data"])


def until(events: Iterator[Event], run_id: int, *statuses: str) -> list[str]:
    """The statuses of a run as they come, up to one of `statuses`; "deleted" for its end."""
    seen = []
    for name, data in events:
        if data.get("id") == run_id:
            seen.append(data["status"] if name == "run" else name)
            if seen[-1] in statuses:
                return seen
    raise AssertionError(f"the stream ended after {seen}")


def test_a_stream_opens_with_an_event_so_that_a_client_knows_from_when_it_hears(cold_deck):
    with listening(cold_deck) as events:
        assert next(events) == ("open", {})


def test_a_stream_tells_the_life_of_a_run_up_to_its_deletion(cold_deck):
    with listening(cold_deck) as events:
        next(events)
        run_id = cold_deck.launch("print('x')")["id"]
        seen = until(events, run_id, "completed")
        assert set(seen) <= {"queued", "starting", "running", "completed"}
        cold_deck.client.delete(f"/runs/{run_id}")
        assert until(events, run_id, "deleted")[-1] == "deleted"


def test_an_event_carries_the_run_as_the_list_shows_it(cold_deck, written):
    with listening(cold_deck) as events:
        next(events)
        cold_deck.client.patch(f"/runs/{written}", json={"notes": "\n\nevent: x\ndata: {}\r\n\u2028"})
        name, data = next(events)
    assert (name, data["id"], data["notes"]) == ("run", written, "\n\nevent: x\ndata: {}\r\n\u2028")
    assert set(data) == set(cold_deck.run(written))


def test_a_stream_of_one_run_tells_of_no_other(cold_deck, written):
    other = cold_deck.wait_until_ended(cold_deck.launch("pass")["id"])["id"]
    with listening(cold_deck, run=written) as events:
        next(events)
        for notes in ("a", "b"):
            cold_deck.client.patch(f"/runs/{other}", json={"notes": notes})
        cold_deck.client.patch(f"/runs/{written}", json={"notes": "mine"})
        assert next(events)[1]["notes"] == "mine"


@pytest.mark.parametrize("run", ["0", "x", "-1", str(2**63)])
def test_a_stream_of_what_is_no_run_is_refused(cold_deck, run):
    problem_of(cold_deck.client.get("/events", params={"run": run}), 422)


def test_streams_end_when_the_server_stops(deck: ServedDeck):
    ended = []

    def listen() -> None:
        with listening(deck) as events:
            for name, _ in events:
                opened.append(name)
        ended.append(True)

    opened: list[str] = []
    threads = [threading.Thread(target=listen) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(opened) == 5, "all streams are open")

    assert deck.stop() == 0

    for thread in threads:
        thread.join(timeout=10)
    assert ended == [True] * 5
    assert "Traceback" not in deck.log


REQUEST = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"
STREAMS, DEAF = 200, 50


def peers(server: psutil.Process) -> list[object]:
    """The connections that clients have to the server."""
    return [one for one in server.net_connections("tcp") if one.status != psutil.CONN_LISTEN]


def test_two_hundred_streams_of_which_fifty_do_not_read_leave_the_deck_as_it_was(deck: ServedDeck):
    run_id = deck.wait_until_ended(deck.launch("pass")["id"])["id"]
    server = psutil.Process(deck.process.pid)
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(deck, deaf=number < DEAF)) for number in range(STREAMS)]
        for connection in connections:
            connection.sendall(REQUEST)
        heard = [read_until(connection, b"event: open") for connection in connections[DEAF:]]
        assert all(heard)
        memory_before = server.memory_info().rss
        for number in range(25):
            deck.client.patch(f"/runs/{run_id}", json={"notes": "x" * 9000 + str(number)})
        for connection in connections[DEAF:]:
            read_until(connection, b"x24")
        assert server.memory_info().rss - memory_before < 60_000_000
        assert deck.client.get("/healthz").status_code == 200
    wait_for(lambda: len(peers(server)) <= 1, "the connections have been let go")


@contextmanager
def connect(deck: ServedDeck, *, deaf: bool) -> Iterator[socket.socket]:
    url = httpx.URL(deck.url)
    with socket.socket() as connection:
        if deaf:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect((url.host, url.port))
        yield connection


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    tail = b""
    while mark not in tail:
        part = connection.recv(65_536)
        assert part, "the stream ended"
        tail = tail[-100:] + part
    return tail


def test_a_stream_whose_client_is_gone_is_forgotten(cold_deck):
    server = psutil.Process(cold_deck.process.pid)
    before = len(peers(server))
    for _ in range(20):
        with listening(cold_deck) as events:
            next(events)
    wait_for(lambda: len(peers(server)) <= before, "the connections have been let go")
