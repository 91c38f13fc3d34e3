"""How long others wait: for a run that ends with many unread points, and for hostile requests.

The waits of a start and a stop are those beyond the same start and stop on an idle deck, measured in the same run.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.event_reader import write_points
from benchmarks.row import Goal, Row
from benchmarks.samples import p50, summary
from benchmarks.served import FINAL, HTML, ServedDeck, served_deck, wait_for

POINTS, QUICK_POINTS = 800_000, 100_000
ENDS, QUICK_ENDS = 6, 1
IDLE, QUICK_IDLE = 12, 3
REPEATED, QUICK_REPEATED = 5, 1
HALF_REQUESTS = 500
AT_ONCE = 50
FLOOD_SECONDS, QUICK_FLOOD_SECONDS = 10.0, 3.0
PROBE_PAUSE_SECONDS = 0.005
POLL_SECONDS = 0.005
DESCRIPTORS_SECONDS = 60.0
KEPT_DESCRIPTORS = 24
"""Eight connections to the database stay open between requests, with up to three files each."""
NOTED = "import time; print(time.time_ns(), flush=True)\n"
SLEEPING = "import time; print('asleep', flush=True); time.sleep(3600)\n"
SLOW = "import argparse, time\ntime.sleep(5)\nargparse.ArgumentParser().parse_args()  # {}\n"


def measure(quick: bool) -> list[Row]:
    """Starts and stops beside the end of a run, then the answers to hostile requests and beside them."""
    with served_deck() as deck:
        return [*_beside_an_end(deck, quick), *_large_requests(deck, quick), *_odd_connections(deck, quick)]


def _beside_an_end(deck: ServedDeck, quick: bool) -> list[Row]:
    points, ends, idle = (QUICK_POINTS, QUICK_ENDS, QUICK_IDLE) if quick else (POINTS, ENDS, IDLE)
    rows = []
    folder = deck.home.parent / "points"
    write_points(folder, points)
    (file,) = folder.iterdir()
    for what, timed in (("start", _start), ("stop", _stop)):
        alone = [timed(deck) for _ in range(idle)]
        beside = [seconds for _ in range(ends) for seconds in _while_one_ends(deck, file, timed)]
        name = f"{what} beside the end of a run with {points:,} unread points, beyond an idle deck, p50"
        details = {"beside": summary(beside, "seconds"), "idle": summary(alone, "seconds")}
        rows.append(Row(name, "s", max(0.0, p50(beside) - p50(alone)), None, "", Goal(0.05), details))
    return rows


def _while_one_ends(deck: ServedDeck, file: Path, timed: Callable[[ServedDeck], float]) -> list[float]:
    """Return samples from the moment at which a run has written its points until the deck has recorded its end."""
    run_id = deck.launch("many_points.py", str(file))
    wait_for(lambda: b"written" in deck.web.get(f"/runs/{run_id}/log").content, "points are written", 120, POLL_SECONDS)
    samples = [timed(deck)]
    while deck.get(f"/runs/{run_id}")["status"] not in FINAL:
        samples.append(timed(deck))
    return samples


def _launch(deck: ServedDeck, source: str) -> int:
    body = {"script": {"source": source, "filename": "train.py"}}
    number: int = deck.web.post("/runs", json=body).raise_for_status().json()["id"]
    return number


def _start(deck: ServedDeck) -> float:
    began = time.time_ns()
    return (int(deck.wait_until_completed(_launch(deck, NOTED))) - began) / 1e9


def _stop(deck: ServedDeck) -> float:
    run_id = _launch(deck, SLEEPING)
    wait_for(lambda: deck.web.get(f"/runs/{run_id}/log").content, "the run is asleep", 60, POLL_SECONDS)
    began = time.perf_counter()
    deck.web.post(f"/runs/{run_id}/cancel").raise_for_status()
    wait_for(lambda: deck.get(f"/runs/{run_id}")["status"] in FINAL, "the run has ended", 60, POLL_SECONDS)
    return time.perf_counter() - began


def _large_requests(deck: ServedDeck, quick: bool) -> list[Row]:
    """HOSTILE.md, row 28."""
    unknown = {f"a{number}": number for number in range(100_000)}
    wrong = {f"lr{number}": "x" for number in range(20_000)}
    requests: Mapping[str, tuple[str, str, Any]] = {
        "100,000 unknown fields": ("POST", "/runs", unknown),
        "20,000 wrong names": ("POST", "/runs", {"trainer": "mnist", "params": wrong}),
        "9,000 unknown query parameters": ("GET", "/runs?" + "&".join(f"a{n}" for n in range(9000)), None),
    }
    rows = []
    for what, (method, path, body) in requests.items():
        content = None if body is None else json.dumps(body).encode()
        processor = _processor_seconds(deck)
        seconds = [_refused(deck, method, path, content) for _ in range(QUICK_REPEATED if quick else REPEATED)]
        details = summary(seconds, "seconds") | {
            "processor_seconds": (_processor_seconds(deck) - processor) / len(seconds)
        }
        rows.append(Row(f"{what}: refused, p50", "s", p50(seconds), None, "", Goal(0.05), details))
        with _probe(deck, "/healthz") as waits:
            for _ in seconds:
                _refused(deck, method, path, content)
        rows.append(_longest_wait(what, waits, 0.1))
    return rows


def _refused(deck: ServedDeck, method: str, path: str, content: bytes | None) -> float:
    began = time.perf_counter()
    answer = deck.web.request(method, path, content=content, headers={"Content-Type": "application/json"})
    if answer.status_code != httpx.codes.UNPROCESSABLE_ENTITY:
        raise RuntimeError(f"{method} {path[:40]} answered {answer.status_code}")
    return time.perf_counter() - began


def _processor_seconds(deck: ServedDeck) -> float:
    times = deck.server.cpu_times()
    return times.user + times.system


def _odd_connections(deck: ServedDeck, quick: bool) -> list[Row]:
    """HOSTILE.md, row 29."""
    before = deck.server.num_fds()
    line = b"X-A: " + b"a" * 1000 + b"\r\n"
    heads = {"1 MB of headers": line * 1000, "20,000 header lines": b"X-A: a\r\n" * 20_000,
             "96 MB in one header": b"X-A: " + b"a" * 96_000_000 + b"\r\n"}  # fmt: skip
    rows = []
    for what, head in heads.items():
        with _probe(deck, "/runs") as waits:
            for _ in range(QUICK_REPEATED if quick else REPEATED):
                _send_head(deck, head)
        rows.append(_longest_wait(what, waits, 0.2))
    seconds = QUICK_FLOOD_SECONDS if quick else FLOOD_SECONDS
    with _half_requests(deck), _probe(deck, "/runs") as waits:
        time.sleep(seconds)
    rows.append(_longest_wait(f"{HALF_REQUESTS} half requests", waits, 0.2))
    with _slow_routes(deck), _probe(deck, "/runs") as waits:
        time.sleep(seconds)
    rows.append(_longest_wait(f"{AT_ONCE} requests to each slow route", waits, 0.2))
    return [*rows, _descriptors(deck, before)]


def _descriptors(deck: ServedDeck, before: int) -> Row:
    """Return how many more file descriptors are open, as soon as none are or after a minute."""
    with suppress(TimeoutError):
        wait_for(lambda: deck.server.num_fds() <= before, "closed descriptors", DESCRIPTORS_SECONDS)
    left = deck.server.num_fds() - before
    return Row(
        "file descriptors that stay open after all that", "", float(max(0, left)), None, "", Goal(KEPT_DESCRIPTORS)
    )


def _connect(deck: ServedDeck) -> socket.socket:
    address = urlsplit(str(deck.web.base_url))
    return socket.create_connection((address.hostname, address.port or 80), 60)


def _send_head(deck: ServedDeck, head: bytes) -> None:
    """Send a request with a head that is too large, until it is answered or cut off."""
    with _connect(deck) as connection:
        answer = b""
        with suppress(ConnectionError):
            connection.sendall(b"GET /runs HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n")
        with suppress(ConnectionError):
            answer = connection.recv(65_536)
        if answer and not answer.startswith(b"HTTP/1.1 4"):
            raise RuntimeError(f"a large head was answered by {answer[:40]!r}")


@contextmanager
def _half_requests(deck: ServedDeck) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(HALF_REQUESTS):
            with suppress(OSError):
                stack.enter_context(_connect(deck)).sendall(b"GET /runs HTTP/1.1\r\nHost: local")
        yield


@contextmanager
def _slow_routes(deck: ServedDeck) -> Iterator[None]:
    """Send each slow route many times at once, and read no answer."""
    paths = ("/runs/1/files", "/runs/1/log/search?q=a", "/runs/1/scalars", "/runs/1/tensorboard/")
    with ExitStack() as stack:
        for number in range(AT_ONCE):
            body = json.dumps({"script": {"source": SLOW.format(number)}}).encode()
            for path in ("/scripts/inspect", "/launch/options"):
                _send(stack, deck, "POST", path, body)
            for path in paths:
                _send(stack, deck, "GET", path, b"")
        yield


def _send(stack: ExitStack, deck: ServedDeck, method: str, path: str, body: bytes) -> None:
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    host = urlsplit(str(deck.web.base_url)).netloc
    with suppress(OSError):
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{kind}\r\n".encode()
        stack.enter_context(_connect(deck)).sendall(head + body)


@contextmanager
def _probe(deck: ServedDeck, path: str) -> Iterator[list[float]]:
    """Have another client ask for `path` again and again; gives the seconds of each answer."""
    waits: list[float] = []
    ended = Event()

    def ask() -> None:
        with httpx.Client(base_url=deck.web.base_url, timeout=60, trust_env=False) as client:
            while not ended.wait(PROBE_PAUSE_SECONDS):
                began = time.perf_counter()
                client.get(path, headers=HTML).raise_for_status()
                waits.append(time.perf_counter() - began)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            wait_for(lambda: waits, "the first answer", 60, POLL_SECONDS)
            waits.clear()
            yield waits
            wait_for(lambda: waits, "an answer", 60, POLL_SECONDS)
        finally:
            ended.set()
            asking.result()


def _longest_wait(what: str, waits: list[float], limit: float) -> Row:
    return Row(f"{what}: longest wait of another request", "s", max(waits), None, "", Goal(limit),
               summary(waits, "seconds"))  # fmt: skip
