"""Starts shims: through the warm forkserver, or, where that cannot be, each in a fresh Python."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from traindeck.executors.local.forkserver_client import Forkserver
from traindeck.runner.order import COLD, Order, read_order, start_of
from traindeck.runner.variables import placeholder_mark, plain_environment, variables_of_limit
from traindeck.system.openfiles import limit_of_user

logger = logging.getLogger(__name__)

COLD_AFTER_FAILURES = 3
SOURCE_BYTES = 200_000


class Launcher:
    """The way from an order to a process."""

    def __init__(self, forkserver: Forkserver, *, cold: bool) -> None:
        self.forkserver = forkserver
        self._always_cold = cold or sys.platform != "linux"
        self._children: list[subprocess.Popen[bytes]] = []

    @property
    def cold(self) -> bool:
        """True where every start is a fresh Python: asked for, not Linux, or the forkserver does not come up."""
        return self._always_cold or self.forkserver.failures >= COLD_AFTER_FAILURES

    def warm_up(self) -> None:
        """Have the forkserver import what it needs, before anybody waits for it."""
        if self.cold:
            return
        self.forkserver.release(now=not self._children)
        self.forkserver.end_if_hopeless()
        if self.forkserver.ready:
            self._replace_if(self.forkserver.imports.changed_anywhere())
        self.forkserver.ensure_started()

    def launch(self, order: Path) -> int | None:
        """Ask for the attempt of an order.

        Returns:
            The pid of the process that shall start it, or None where it cannot be asked for at the moment. Asking
            again, when that process is gone, is safe: of two shims one finds the attempt taken.
        """
        if self.cold or self.forkserver.stuck or self._is_sooner_cold(order):
            asked = self._start_cold(order)
            self._hold_imports()
            return asked
        asked = self.forkserver.ensure_started() and self.forkserver.order(order)
        return self.forkserver.pid if asked else None

    def still_has(self, asked: int | None) -> bool:
        """True where the process that was asked is there, and may yet start the attempt."""
        if asked is None:
            return False
        if asked == self.forkserver.pid:
            # A process that is stuck keeps the order, and takes it up later: it finds the attempt taken.
            return not self.forkserver.stuck
        return any(child.pid == asked for child in self._children)

    def reap(self) -> None:
        """Take note of cold shims that have ended, so that they leave no zombies."""
        self._children = [child for child in self._children if child.poll() is None]

    def close(self) -> None:
        """End the forkserver; what it has started goes on."""
        self.forkserver.close()
        self.reap()

    def _is_sooner_cold(self, path: Path) -> bool:
        """True where a fresh Python is through its imports before the forkserver is, or needs none of them."""
        if self.forkserver.ready:
            self._replace_if(self.forkserver.imports.changed())
        if self.forkserver.ready:
            return False
        order = read_order(path)
        return start_of(order, warm=True) == COLD or not self._has_most_of(order)

    def _has_most_of(self, order: Order) -> bool:
        """True where the forkserver, still importing, has more of what a program imports than what is left to do.

        torch and torchvision take about as long as each other, and nearly all of the time.
        """
        imported = self.forkserver.imported
        if "torchvision" not in imported:
            return "torch" in imported and _mentions(order, b"torchvision")
        return order.trainer is not None or _mentions(order, b"torch")

    def _replace_if(self, changed: str | None) -> None:
        """Have a new forkserver where something that this one has imported has changed; its runs go on."""
        if changed is None:
            return
        logger.info("forkserver is replaced: %s has changed since it was started", changed)
        retired = self.forkserver.retire()
        if retired is not None:
            self._children.append(retired)
        self.forkserver.ensure_started()

    def _hold_imports(self) -> None:
        """Suspend the forkserver's imports where they would take a processor from runs that were started without it."""
        if not self.cold and len(self._children) >= len(os.sched_getaffinity(0)) // 2:
            self.forkserver.hold()

    def _start_cold(self, order: Path) -> int:
        with self.forkserver.log.open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "traindeck.runner.shim", str(order)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                umask=self.forkserver.umask,
                env={**plain_environment(), **placeholder_mark(), **variables_of_limit(limit_of_user())},
            )
        self._children.append(child)
        return child.pid


def _mentions(order: Order, name: bytes) -> bool:
    """Whether the file of a program speaks of a package; of a trainer and of a module that is not known."""
    if order.script is None or not (order.script.source or order.script.file):
        return False
    try:
        with Path(order.script.source or order.script.file).open("rb") as file:
            return name in file.read(SOURCE_BYTES)
    except OSError:
        return False
