"""A deck served from a home of its own, as a user would start it; and runs on it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

T = TypeVar("T")

PROGRAMS = Path(__file__).parent / "programs"
FINAL = frozenset({"completed", "failed", "cancelled", "lost"})
START_SECONDS = 60.0
STOP_SECONDS = 30.0
CONNECT_POLL_SECONDS = 0.005
POLL_SECONDS = 0.1
HTML = {"Accept": "text/html"}
TIMEOUT_SECONDS = 60.0


class ServedDeck:
    """A server in a process of its own, and a client for it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.web = _client()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> psutil.Process:
        """The server's process."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def start(self, *options: str) -> float:
        """Start the server, with further options; seconds from then to the first page, answered."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRAINDECK_")}
        command = [sys.executable, "-m", "traindeck.cli", "serve", "--home", str(self.home), "--port", "0", *options]
        # Made beforehand: what a client costs is not what the server takes.
        self.web = _client()
        began = time.perf_counter()
        with (self.home.parent / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        wait_for(self._answers, "the server's first page", START_SECONDS, CONNECT_POLL_SECONDS)
        return time.perf_counter() - began

    def stop(self) -> None:
        """End the server as Ctrl-C does."""
        if self._process is None:
            return
        self.web.close()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def cancel_all(self) -> None:
        """Cancel whatever has not ended, and wait until nothing of it is alive."""
        wait_for(lambda: not self._cancel_some(), "all runs have ended", STOP_SECONDS)

    def wait_until_warm(self) -> None:
        """Wait until the next launch is a fork."""
        wait_for(lambda: self.get("/healthz")["warm"], "the forkserver is warm", START_SECONDS)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at `path`."""
        return self.web.get(path, params=params).raise_for_status().json()

    def launch(self, program: str, *args: str) -> int:
        """Queue a run of one of the programs; its number."""
        body = {"script": {"path": str(PROGRAMS / program), "args": list(args)}}
        number: int = self.web.post("/runs", json=body).raise_for_status().json()["id"]
        return number

    def wait_until_completed(self, run_id: int, seconds: float = 120.0, poll_seconds: float = POLL_SECONDS) -> str:
        """Wait for the end of a run; its log. Raises RuntimeError where it did not complete."""

        def ended() -> Any:
            run = self.get(f"/runs/{run_id}")
            return run if run["status"] in FINAL else None

        run = wait_for(ended, f"the end of run {run_id}", seconds, poll_seconds)
        log = self.web.get(f"/runs/{run_id}/log").text
        if run["status"] != "completed":
            raise RuntimeError(f"run {run_id} is {run['status']}: {run['status_reason']}\n{log}")
        return log

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the server ended; its log is\n{(self.home.parent / 'server.log').read_text()}")
        with suppress(OSError, ValueError, KeyError, httpx.TransportError):
            note = json.loads((self.home / "server.json").read_text())
            # A note that an earlier server has left names another process.
            if note["pid"] == self._process.pid:
                self.web.base_url = note["url"]
                return self.web.get("/runs", headers=HTML).is_success
        return False

    def _cancel_some(self) -> int:
        active = [status for status in ("queued", "starting", "running", "stopping") if self._count(status)]
        for status in active:
            for run in self.get("/runs", status=status, limit=500)["items"]:
                self.web.post(f"/runs/{run['id']}/cancel")
        return len(active)

    def _count(self, status: str) -> int:
        total: int = self.get("/runs", status=status, limit=1)["total"]
        return total


def _client() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)


@contextmanager
def served_deck(*, warm: bool = True) -> Iterator[ServedDeck]:
    """A deck in a folder that is gone afterwards, like everything that ran on it."""
    with scratch_deck() as deck:
        deck.start()
        if warm:
            deck.wait_until_warm()
        yield deck


@contextmanager
def scratch_deck() -> Iterator[ServedDeck]:
    """As `served_deck`, but not started yet."""
    with tempfile.TemporaryDirectory(prefix="traindeck-bench-") as folder:
        deck = ServedDeck(Path(folder) / "home")
        try:
            yield deck
        finally:
            with suppress(httpx.HTTPError, RuntimeError, TimeoutError):
                deck.cancel_all()
            deck.stop()


def wait_for(condition: Callable[[], T], what: str, seconds: float, poll_seconds: float = POLL_SECONDS) -> T:
    """The first true value of `condition`. Raises TimeoutError where there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(poll_seconds)
    return value
