"""Open pages that listen to the event stream while a run changes: what they take of a core of the server's machine.

Beside it, in the same run, the same changes with no page open: what remains is the listeners' share.
"""

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from urllib.parse import urlsplit

from benchmarks.row import Goal, Row
from benchmarks.served import ServedDeck, served_deck

LISTENERS = 100
CHANGES_PER_MINUTE = 200
SECONDS, QUICK_SECONDS = 30.0, 8.0
PERCENT = 20


def measure(quick: bool) -> list[Row]:
    """The server's processor time while one run's note changes at a steady pace, by the clock."""
    seconds = QUICK_SECONDS if quick else SECONDS
    with served_deck(warm=True) as deck:
        run_id = deck.launch("nothing.py")
        deck.wait_until_completed(run_id)
        alone = _share(deck, run_id, seconds)
        with _listeners(deck) as heard:
            beside = _share(deck, run_id, seconds)
    details = {"listeners": LISTENERS, "changes_per_minute": CHANGES_PER_MINUTE, "bytes_heard": heard.bytes}
    what = f"{LISTENERS} open pages, {CHANGES_PER_MINUTE} changes a minute"
    return [Row(what, "% of a core", beside, alone, "no page open", Goal(PERCENT), details)]


def _share(deck: ServedDeck, run_id: int, seconds: float) -> float:
    """The server's processor time, in percent of a core, while the run changes."""
    before, began = _processor_seconds(deck), time.perf_counter()
    for number in range(round(seconds * CHANGES_PER_MINUTE / 60)):
        deck.web.patch(f"/runs/{run_id}", json={"notes": f"change {number}"}).raise_for_status()
        time.sleep(max(0.0, began + (number + 1) * 60 / CHANGES_PER_MINUTE - time.perf_counter()))
    return 100 * (_processor_seconds(deck) - before) / (time.perf_counter() - began)


def _processor_seconds(deck: ServedDeck) -> float:
    times = deck.server.cpu_times()
    return times.user + times.system


class _Heard:
    def __init__(self) -> None:
        self.bytes = 0


@contextmanager
def _listeners(deck: ServedDeck) -> Iterator[_Heard]:
    """Streams that are read as they come, by one thread."""
    address = urlsplit(str(deck.web.base_url))
    heard, ended = _Heard(), Event()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(LISTENERS):
            stream = stack.enter_context(socket.create_connection((address.hostname, address.port or 80)))
            stream.sendall(f"GET /events HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
            while b"event: open" not in stream.recv(65_536):
                pass
            stream.setblocking(False)
            selector.register(stream, selectors.EVENT_READ)

        def read() -> None:
            while not ended.is_set():
                for key, _ in selector.select(0.1):
                    heard.bytes += len(key.fileobj.recv(65_536))

        reader = Thread(target=read)
        reader.start()
        try:
            yield heard
        finally:
            ended.set()
            reader.join()
