"""A scheduler without a server: a real database and real processes, ticked by the test itself."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from traindeck.db.engine import Database
from traindeck.db.tables import Attempt, Run, RunEvent
from traindeck.runner.ending import Ending, write_exit
from traindeck.runner.identity import identify
from traindeck.runner.order import read_order
from traindeck.runner.program import Program
from traindeck.runner.record import claim_attempt
from traindeck.runs.files import AttemptFiles, DeckFiles
from traindeck.scheduling.attempts import Attempts
from traindeck.scheduling.dispatcher import Dispatcher
from traindeck.scheduling.observer import Observer
from traindeck.scheduling.slots import Slots
from traindeck.sources.blobs import Blobs
from traindeck.sources.snapshot import Snapshots

FINAL = {"completed", "failed", "cancelled", "lost"}


class NoForkserver:
    """Stands where the forkserver's connection would be."""

    ready = True
    pid = None

    def fileno(self) -> None:
        return None

    def messages(self) -> list[dict[str, Any]]:
        return []


class StubLauncher:
    """Starts a process that sleeps in the place of a shim, with what a shim writes at its start."""

    def __init__(self) -> None:
        self.forkserver = NoForkserver()
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def launch(self, path: Path) -> int:
        order = read_order(path)
        environment = {**os.environ, "TRAINDECK_MARK": order.mark}
        process = self.processes[order.run_id] = subprocess.Popen(["sleep", "1000"], env=environment)
        order.path.joinpath("work").mkdir(exist_ok=True)
        assert claim_attempt(order.path, identify(process.pid), "cold")
        return process.pid

    def still_has(self, asked: int | None) -> bool:
        return asked is not None

    def warm_up(self) -> None: ...

    def reap(self) -> None: ...

    def close(self) -> None: ...


class Scheduler:
    """A dispatcher and an observer on a home; a second one on the same home is the next server's."""

    def __init__(
        self, files: DeckFiles, database: Database, slots: int = 3, launcher: StubLauncher | None = None
    ) -> None:
        self.files = files
        self.database = database
        self.launcher = launcher or StubLauncher()
        self.observer = Observer(database, files)
        snapshots = Snapshots(Blobs(files.home / "code"))
        self.attempts = Attempts(database, files, snapshots, Slots(slots, ()), self.observer, grace_seconds=1.0)
        self.dispatcher = Dispatcher(self.attempts, self.launcher)

    def queue(self, **columns: Any) -> int:
        """Put a run into the queue, as a command without files."""
        script = Program(kind="command", command=("sleep", "1000"))
        with self.database.write() as session:
            run = Run(**{"name": "a", "script": script.as_json(), **columns})
            session.add(run)
            session.flush()
            return run.id or 0

    def adopt(self) -> None:
        """Take over what is left, as the start of a server does, but without the loop's own thread."""
        self.dispatcher._thread.start = lambda: None
        self.dispatcher.start()

    def tick_until(self, condition: Callable[[], Any], what: str, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.dispatcher.tick(0.005)
            self.observer.tick()
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}: {self.statuses()}"

    def until(self, run_id: int, *statuses: str) -> Run:
        self.tick_until(lambda: self.run(run_id).status in statuses, f"run {run_id} is {statuses}")
        return self.run(run_id)

    def until_running(self, *run_ids: int) -> None:
        for run_id in run_ids:
            self.tick_until(lambda n=run_id: self.run(n).started_at is not None, f"run {run_id} runs")

    def end(self, run_id: int, exit_code: int = 0) -> None:
        """End the process of a run as a shim does."""
        write_exit(self.attempt_files(run_id).folder, Ending(exit_code, None, time.time(), 1.0))
        self.kill(run_id)

    def kill(self, run_id: int) -> None:
        process = self.launcher.processes.pop(run_id)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def run(self, run_id: int) -> Run:
        with self.database.read() as session:
            return session.get_one(Run, run_id)

    def statuses(self) -> list[tuple[int | None, str, str | None]]:
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(select(Run.id, Run.status, Run.status_reason))]

    def attempt(self, run_id: int, number: int = 1) -> Attempt:
        with self.database.read() as session:
            return session.get_one(Attempt, (run_id, number))

    def history(self, run_id: int) -> list[str]:
        with self.database.read() as session:
            rows = session.execute(select(RunEvent.to_status).where(RunEvent.run_id == run_id).order_by(RunEvent.id))
            return list(rows.scalars())

    def attempt_files(self, run_id: int) -> AttemptFiles:
        return self.files.run(run_id).attempt(self.run(run_id).attempt)

    def let_go(self) -> None:
        """Be no server any more, as if killed: what runs goes on."""
        self.dispatcher.close()
        self.observer.close()
        for watched in self.observer._watched.values():
            watched.tail.close()

    def close(self) -> None:
        self.let_go()
        for run_id in list(self.launcher.processes):
            self.kill(run_id)
