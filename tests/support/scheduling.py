"""A scheduler without a server: a real database, attempts in memory, ticked by the test itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from traindeck.db.engine import Database
from traindeck.db.tables import Attempt, Run, RunEvent
from traindeck.executors.memory import MemoryExecutor
from traindeck.executors.protocol import Executor, Program
from traindeck.runs import commands
from traindeck.runs.files import AttemptFiles, DeckFiles
from traindeck.scheduling.attempts import Attempts
from traindeck.scheduling.dispatcher import Dispatcher
from traindeck.scheduling.observer import Observer
from traindeck.sources.blobs import Blobs
from traindeck.sources.snapshot import Snapshots

QUIET_TICKS = 2
"""After so many without a write nothing is in progress any more."""
SECONDS_UNTIL_TRIED_AGAIN = 60.0


def at_once(_name: str, work: Callable[[], None]) -> None:
    """Carry out a step within the tick that begins it."""
    work()


class FaultyDatabase(Database):
    """A database that cannot be written at times: `faults` are the errors of the writes with such numbers."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.writes = 0
        self.faults: dict[int, Exception] = {}
        self.at_commit = False
        """Whether such a write fails at its end, and not at its begin."""

    def fail(self, after: int, times: int, error: Exception, *, at_commit: bool = False) -> None:
        """Have so many writes fail in a row, after so many that do not."""
        first = self.writes + after + 1
        self.faults, self.at_commit = dict.fromkeys(range(first, first + times), error), at_commit

    @contextmanager
    def write(self) -> Iterator[Session]:
        self.writes += 1
        error = self.faults.get(self.writes)
        if error is not None and not self.at_commit:
            raise error
        with super().write() as session:
            yield session
            if error is not None:
                session.flush()
                raise error


class Scheduler:
    """A dispatcher and an observer on a home; a second one on the same home is the next server's."""

    def __init__(
        self,
        files: DeckFiles,
        database: FaultyDatabase,
        executor: Executor | None = None,
        begin_work: Callable[[str, Callable[[], None]], threading.Thread | None] = at_once,
    ) -> None:
        self.files = files
        self.database = database
        self.executor: Any = executor or MemoryExecutor()
        self.observer = Observer(database, files)
        snapshots = Snapshots(Blobs(files.home / "code"))
        clock = self.executor.clock
        self.attempts = Attempts(database, files, snapshots, self.executor, self.observer, 1.0, clock)
        self.dispatcher = Dispatcher(self.attempts, begin_work)

    def queue(self, **columns: Any) -> int:
        """Put a run into the queue, as a command without files."""
        script = Program(kind="command", command=("sleep", "1000"))
        with self.database.write() as session:
            run = Run(**{"name": "a", "script": script.as_json(), **columns})
            session.add(run)
            session.flush()
            return run.id or 0

    def cancel(self, run_id: int) -> None:
        """Cancel a run as its user does."""
        with self.database.write() as session:
            commands.cancel(session, run_id)
        self.dispatcher.stop_run(run_id)

    def tick(self) -> None:
        """Tick until nothing changes any more, without letting time pass."""
        quiet = 0
        while quiet < QUIET_TICKS:
            before = self.database.writes
            self.dispatcher.tick(0)
            quiet = quiet + 1 if self.database.writes == before else 0

    def pass_time(self, seconds: float = SECONDS_UNTIL_TRIED_AGAIN) -> None:
        """Let time pass, and tick: what failed is tried again."""
        self.executor.pass_time(seconds)
        self.tick()

    def run(self, run_id: int) -> Run:
        with self.database.read() as session:
            return session.get_one(Run, run_id)

    def status(self, run_id: int) -> str:
        return self.run(run_id).status

    def reason(self, run_id: int) -> str:
        return self.run(run_id).status_reason or ""

    def attempt(self, run_id: int, number: int = 1) -> Attempt:
        with self.database.read() as session:
            return session.get_one(Attempt, (run_id, number))

    def history(self, run_id: int) -> list[str]:
        """The statuses that a run has had since it was queued first."""
        return [to for _, to in self.moves(run_id)]

    def moves(self, run_id: int) -> list[tuple[str | None, str]]:
        with self.database.read() as session:
            rows = select(RunEvent.from_status, RunEvent.to_status).where(RunEvent.run_id == run_id)
            return [(row[0], row[1]) for row in session.execute(rows.order_by(RunEvent.id))]

    def attempt_files(self, run_id: int) -> AttemptFiles:
        return self.files.run(run_id).attempt(self.run(run_id).attempt)

    @property
    def free_cpus(self) -> int:
        return self.attempts.slots.capacity.free_cpus

    def let_go(self) -> None:
        """Be no server any more, as if killed: what runs goes on."""
        self.dispatcher.close()
        self.observer.close()
        for watched in self.observer._watched.values():
            watched.tail.close()
