"""A real server in a process of its own, and a client for it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from support.forking import Fork, forking_process
from support.waiting import wait_for
from traindeck.runner.identity import marked
from traindeck.runner.order import read_order

PLAIN = {"trust_env": False, "verify": False}
"""For a client of http on this machine: reading the list of certificates for each takes 20 to 40 ms."""

SERVE = """
import sys
from importlib import import_module
for place, value in {constants!r}.items():
    module, _, name = place.rpartition(".")
    assert hasattr(import_module(module), name), place
    setattr(import_module(module), name, value)
from traindeck.cli.main import main
sys.argv = ["traindeck", "serve", *sys.argv[1:]]
main()
"""


def serve_command(constants: Mapping[str, float] | None = None) -> list[str]:
    """How a server is started; with other values for constants of modules, where a test would wait for long."""
    if constants:
        return [sys.executable, "-c", SERVE.format(constants=dict(constants))]
    return [sys.executable, "-m", "traindeck.cli", "serve"]


FINAL = {"completed", "failed", "cancelled", "lost"}


class ServedDeck:
    """A deck that can be started, killed, and started again."""

    def __init__(self, home: Path, *, constants: Mapping[str, float] | None = None, **settings: Any) -> None:
        self.home = home
        self.constants = constants
        self.settings = settings
        self.process: subprocess.Popen[bytes] | Fork | None = None
        self.client = httpx.Client(**PLAIN)

    @property
    def url(self) -> str:
        return json.loads((self.home / "server.json").read_text())["url"]

    @property
    def log(self) -> str:
        return (self.home.parent / "server.log").read_text()

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        variables = {f"TRAINDECK_{name.upper()}": str(value) for name, value in self.settings.items()}
        # As in a user's shell, whatever the tests were started with.
        shell = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        environment = {**shell, "TRAINDECK_HOME": str(self.home), "TRAINDECK_PORT": "0", **variables}
        self.home.parent.mkdir(parents=True, exist_ok=True)
        (self.home / "server.json").unlink(missing_ok=True)
        with (self.home.parent / "server.log").open("ab") as log:
            self.process = self._begin(environment, log.fileno())
        wait_for(self._answers, "the server answers")
        self.client = httpx.Client(base_url=self.url, timeout=30, **PLAIN)

    def _begin(self, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes] | Fork:
        """A fork, which is up in a fifth of the time, where it is what a new Python would be."""
        with Path(os.devnull).open("rb") as nothing:
            if self.constants or not forking_process().replaces(environment):
                command = serve_command(self.constants)
                return subprocess.Popen(command, env=environment, stdin=nothing, stdout=log, stderr=log)
            return forking_process().start(["serve"], environment, Path.cwd(), (nothing.fileno(), log, log))

    def kill(self) -> None:
        """End the server with SIGKILL: nothing of it gets to run."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.client.close()

    def stop(self) -> int:
        """End the server as Ctrl-C does; its exit code."""
        assert self.process is not None
        self.client.close()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)

    def end(self) -> None:
        """Leave nothing behind: neither the server nor what it has launched."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        for order in self.home.glob("runs/*/attempt-*/order.json"):
            with suppress(FileNotFoundError, IsADirectoryError):
                for pid in marked(read_order(order).mark):
                    os.kill(pid, signal.SIGKILL)

    def wait_until_warm(self) -> None:
        wait_for(lambda: self.client.get("/healthz").json()["warm"], "the forkserver is warm", 60)

    def launch(self, source: str = "", **body: Any) -> dict[str, Any]:
        """Queue a run: of a script given by its source, or of whatever `body` says."""
        if "trainer" not in body and "script" not in body:
            body["script"] = {"source": source, "filename": "script.py"}
        response = self.client.post("/runs", json=body)
        assert response.status_code == 201, response.text
        return response.json()

    def run(self, run_id: int) -> dict[str, Any]:
        return self.client.get(f"/runs/{run_id}").json()

    def wait_for_status(self, run_id: int, *statuses: str, seconds: float = 30.0) -> dict[str, Any]:
        """The run once it has one of the statuses; fails at once where it has ended otherwise."""

        def reached() -> dict[str, Any] | None:
            run = self.run(run_id)
            if run["status"] in statuses:
                return run
            assert run["status"] not in FINAL, f"{run['status']}: {run['status_reason']}\n{self.log_of(run_id)}"
            return None

        return wait_for(reached, f"run {run_id} is {' or '.join(statuses)}", seconds)

    def wait_until_ended(self, run_id: int, seconds: float = 30.0) -> dict[str, Any]:
        return self.wait_for_status(run_id, *FINAL, seconds=seconds)

    def wait_until_idle(self) -> None:
        """Wait until every run of the first page of the list has ended."""

        def all_ended() -> bool:
            return all(run["status"] in FINAL for run in self.client.get("/runs").json()["items"])

        wait_for(all_ended, "every run has ended")

    def log_of(self, run_id: int) -> str:
        return self.client.get(f"/runs/{run_id}/log").text

    def wait_for_line(self, run_id: int, line: str) -> None:
        wait_for(lambda: line in self.log_of(run_id).splitlines(), f"run {run_id} printed {line!r}")

    def process_record(self, run_id: int, attempt: int = 1) -> dict[str, Any]:
        return json.loads((self.home / f"runs/{run_id}/attempt-{attempt}/process.json").read_text())

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended: {self.log}"
        try:
            return httpx.get(f"{self.url}/healthz", **PLAIN).is_success
        except (OSError, KeyError, ValueError, httpx.TransportError):
            return False
