"""The executor of this machine, with processes that sleep in the place of shims."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from traindeck.executors.local.executor import LocalExecutor
from traindeck.executors.protocol import Handle, Node, Order, Program, Report, ScriptOrder
from traindeck.runner.claim import claim_attempt
from traindeck.runner.ending import Ending, write_exit
from traindeck.runner.identity import identify
from traindeck.runner.order import read_order
from traindeck.runs.files import AttemptFiles, DeckFiles


class NoForkserver:
    """Stands where the forkserver's connection would be."""

    ready = True

    def fileno(self) -> None:
        return None

    def messages(self) -> list[dict[str, object]]:
        return []


class Sleepers:
    """Starts a process that sleeps in the place of a shim, with what a shim writes at its start."""

    cold = True

    def __init__(self) -> None:
        self.forkserver = NoForkserver()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.launches = 0
        self.starts = True

    def launch(self, path: Path) -> int | None:
        self.launches += 1
        if not self.starts:
            return None
        order = read_order(path)
        environment = {**os.environ, "TRAINDECK_MARK": order.mark}
        process = subprocess.Popen(["sleep", "1000"], env=environment)
        self.processes.append(process)
        claim_attempt(order.path, identify(process.pid), "cold")
        return process.pid

    def still_has(self, asked: int | None) -> bool:
        return asked is not None

    def warm_up(self) -> None: ...

    def reap(self) -> None: ...

    def close(self) -> None: ...

    def kill(self) -> None:
        """Kill what was started last, as from outside."""
        self.processes[-1].kill()
        self.processes[-1].wait()


class Machine:
    """An executor and one attempt of its."""

    def __init__(self, files: DeckFiles, launcher: Sleepers) -> None:
        self.files = files
        self.launcher = launcher
        self.executor = LocalExecutor(files, launcher, Node("local", 2))  # type: ignore[arg-type]
        self.handle = self.executor.reserve(1, 1)

    @property
    def attempt(self) -> AttemptFiles:
        return self.files.run(1).attempt(1)

    def start(self) -> object:
        what = ScriptOrder(Program(kind="command", command=("sleep", "1000")))
        folder, datasets = str(self.attempt.folder), str(self.files.datasets)
        return self.executor.start(Order(1, 1, "", folder, datasets, grace_seconds=1.0, script=what))

    def poll(self) -> Report | None:
        return dict(self.executor.poll([self.handle])).get(self.handle)

    def examine(self) -> Report:
        return self.executor.examine(self.handle)

    def end(self, exit_code: int = 0) -> None:
        """End the process as a shim does."""
        write_exit(self.attempt.folder, Ending(exit_code, None, time.time(), 1.0))
        self.launcher.kill()

    def next_server(self, handle: Handle | None = None) -> "Machine":
        """The same attempt, as another server finds it."""
        self.executor.close()
        machine = Machine(self.files, self.launcher)
        machine.handle = handle or self.handle
        return machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    files = DeckFiles(tmp_path / "home")
    files.prepare()
    launcher = Sleepers()
    machine = Machine(files, launcher)
    yield machine
    machine.executor.close()
    for process in launcher.processes:
        process.send_signal(signal.SIGKILL)
        process.wait()
