"""Run attempts on this machine. Each has a shim, which outlives the server and records how the attempt ended.

An order is a file (order.json). The shim that creates process.json, which can be created once, has the attempt. A pidfd
watches the shim. If the shim was killed, the processes that carry the attempt's mark in their environment are ended
before the attempt is declared lost.
"""

import hashlib
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from traindeck.errors import describe_error
from traindeck.executors.local.launcher import Launcher
from traindeck.executors.protocol import (
    Dropped,
    Ended,
    Handle,
    Lost,
    Node,
    NotStarted,
    Order,
    Report,
    Started,
    Unknown,
)
from traindeck.runner.claim import give_up_attempt, make_attempt_folder, read_record, shim_of
from traindeck.runner.ending import read_exit
from traindeck.runner.identity import Identity, boot_id, is_alive, marked, signal_all
from traindeck.runner.variables import MARK_CHARACTERS, PLACEHOLDER
from traindeck.runs.files import AttemptFiles, DeckFiles, read_json
from traindeck.system.wholefiles import write_whole

MARK_PATTERN = re.compile(rf"[0-9a-f]{{{MARK_CHARACTERS}}}")
logger = logging.getLogger(__name__)
START_TIMEOUT_SECONDS = 120.0
"""From the order to a process. The first start after the deck's waits for `import torch`, slow from a cold disk."""
STOP_MARGIN_SECONDS = 15.0
"""What a shim has, beyond the grace, to end everything; then it is killed itself."""
SWEEP_SECONDS = 5.0
"""How long one examination kills what a killed shim has left; then it says so, and the next continues."""
SWEEP_PAUSE_SECONDS = 0.02
ERROR_SECONDS = 1.0
PIDS_NAMED = 10
BOOT = "boot_id"
STOPPED_BETWEEN = "the deck was stopped in between"
KILLED = "its process was killed from outside, and how far it came is not known"


def attempt_mark(files: DeckFiles, run_id: int, number: int) -> str:
    """Return what marks the processes of an attempt: the same after a restart, and another on every deck.

    An ordered attempt keeps the mark of its order: its processes carry that one, though the home was renamed since.
    A new one has a mark of the resolved home, so that it does not depend on the name by which the deck was started.
    """
    ordered = (read_json(files.run(run_id).attempt(number).order) or {}).get("mark")
    if isinstance(ordered, str) and MARK_PATTERN.fullmatch(ordered) and ordered != PLACEHOLDER:
        return ordered
    name = b"%s:%d:%d" % (os.fsencode(files.home.resolve()), run_id, number)
    return hashlib.sha256(name).hexdigest()[:MARK_CHARACTERS]


@dataclass(slots=True, eq=False)
class Tracked:
    """An attempt that was started, or is found again after a restart. Times are monotonic, in seconds.

    Attributes:
        ordered: Its order was written by this server.
        asked: The pid of the process that was asked to start it.
        trouble: Why its shim cannot be named: its processes are known by their mark alone.
        reported: That it has a process was reported.
    """

    files: AttemptFiles
    mark: str
    ordered: bool = False
    asked: int | None = None
    since: float = field(default_factory=time.monotonic)
    shim: Identity | None = None
    pidfd: int | None = None
    started_at: float | None = None
    trouble: str | None = None
    reported: bool = False
    stop_asked: bool = False
    stop_deadline: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, record: dict[str, Any]) -> None:
        """Watch the shim that process.json names, and stop it if that was asked for; it may have ended already.

        Raises:
            Exception: the record names no shim that can be understood.
        """
        shim = shim_of(record)
        if shim is None:
            raise LookupError("process.json names no process")
        with self.lock:
            self.pidfd = _watched(shim)
            self.started_at = record.get("started_at") or record.get("claimed_at")
            self.shim = shim
        if self.stop_asked:
            self.signal(signal.SIGTERM)

    def is_alive(self) -> bool:
        """Return True where the shim is known, and has not ended."""
        return self.shim is not None and is_alive(self.shim)

    def signal(self, number: signal.Signals) -> None:
        """Signal the shim, and never another process that has its pid."""
        with self.lock:
            try:
                if self.pidfd is not None:
                    signal.pidfd_send_signal(self.pidfd, number)
                elif self.shim is not None and is_alive(self.shim):
                    os.kill(self.shim.pid, number)
            except ProcessLookupError:
                return

    def is_late(self) -> bool:
        """Return True where it was asked to stop, and should have ended by now."""
        return self.stop_deadline is not None and time.monotonic() > self.stop_deadline

    def detach(self) -> None:
        """Watch no more."""
        with self.lock:
            if self.pidfd is not None:
                os.close(self.pidfd)
                self.pidfd = None


def _watched(shim: Identity) -> int | None:
    """Return a descriptor that turns readable when the shim ends; None where it has ended, or there are no such."""
    if sys.platform != "linux":
        return None
    try:
        descriptor = os.pidfd_open(shim.pid)
    except ProcessLookupError:
        return None
    # Looked at after the descriptor was taken: from here on the pid cannot become another process unseen.
    if is_alive(shim):
        return descriptor
    os.close(descriptor)
    return None


class LocalExecutor:
    """Runs attempts on the machine of the server, which is its one node."""

    name = "local"

    def __init__(self, files: DeckFiles, launcher: Launcher, node: Node) -> None:
        self.launcher = launcher
        self._files = files
        self._node = node
        self._tracked: dict[tuple[int, int], Tracked] = {}
        self._launching = threading.Lock()
        self._closing = threading.Event()
        self._tend_at = 0.0

    @property
    def warm(self) -> bool:
        """True once the forkserver has its imports."""
        return self.launcher.forkserver.ready

    @property
    def warming(self) -> bool:
        """True while the forkserver imports."""
        return not (self.launcher.cold or self.launcher.forkserver.ready)

    def open(self) -> None:
        """Have the forkserver import what runs need."""
        self._tend()

    def close(self) -> None:
        """End the forkserver; shims and their runs go on."""
        self._closing.set()
        with self._launching:
            self.launcher.close()
        for one in list(self._tracked.values()):
            one.detach()

    def capacity(self) -> Sequence[Node]:
        """Return this machine."""
        return (self._node,)

    def reserve(self, run_id: int, attempt: int) -> Handle:
        """Return a handle that names the boot: after another one nothing of the attempt is alive."""
        return Handle(run_id, attempt, self.name, {BOOT: boot_id()})

    def start(self, order: Order) -> Handle | NotStarted:
        """Write the order, and ask for a shim that takes it."""
        handle = self.reserve(order.run_id, order.attempt)
        one = self._of(handle)
        try:
            self._write(order, one)
        except OSError as error:
            return NotStarted(f"{error.strerror}: {error.filename}")
        with self._launching:
            # An order that is not asked for any more is given up by the next server.
            if not self._closing.is_set():
                one.asked = self.launcher.launch(one.files.order)
        return handle

    def poll(self, handles: Iterable[Handle]) -> Iterator[tuple[Handle, Report]]:
        """Yield what process.json and the kernel say of the shims."""
        self._tend()
        for handle in handles:
            try:
                report = self._look(self._of(handle))
            except Exception as error:
                logger.exception("run=%d attempt=%d cannot be looked at", handle.run_id, handle.attempt)
                report = Unknown(describe_error(error))
            if report is not None:
                yield handle, report

    def examine(self, handle: Handle) -> Report:
        """Find out what became of an attempt, by its files and by what carries its mark."""
        one = self._of(handle)
        if handle.content.get(BOOT, boot_id()) != boot_id():
            # Nothing of it is alive, whatever its files say, and its pids are other programs' by now.
            return self._end(one, same_boot=False)
        if one.shim is None and one.trouble is None:
            reason = self._settle_start(one)
            if reason is not None:
                return NotStarted(reason)
        if one.trouble is not None:
            return self._look_after(one)
        return Started(one.started_at) if one.is_alive() else self._end(one, same_boot=True)

    def stop(self, handle: Handle, grace_seconds: float) -> None:
        """Ask the shim to end its attempt, now or as soon as there is one."""
        one = self._of(handle)
        one.stop_asked = True
        one.stop_deadline = time.monotonic() + grace_seconds + STOP_MARGIN_SECONDS
        one.signal(signal.SIGTERM)

    def forget(self, handle: Handle) -> None:
        """Watch the attempt no more."""
        one = self._tracked.pop((handle.run_id, handle.attempt), None)
        if one is not None:
            one.detach()

    def descriptors(self, handles: Iterable[Handle]) -> Sequence[int]:
        """Return the forkserver's socket, and the pidfds of the shims."""
        heard = None if self._is_paused() else self.launcher.forkserver.fileno()
        found = (heard, *(self._of(handle).pidfd for handle in handles))
        return [descriptor for descriptor in found if descriptor is not None]

    def _of(self, handle: Handle) -> Tracked:
        key = (handle.run_id, handle.attempt)
        one = self._tracked.get(key)
        if one is None:
            one = Tracked(self._files.run(key[0]).attempt(key[1]), attempt_mark(self._files, *key))
            self._tracked[key] = one
        return one

    def _write(self, order: Order, one: Tracked) -> None:
        if one.ordered:
            return
        make_attempt_folder(one.files.folder)
        content = replace(order, mark=one.mark).as_json()
        # Not synced: after a power cut nobody carries it out.
        write_whole(one.files.order, json.dumps(content).encode(), sync=False)
        one.ordered = True

    def _tend(self) -> None:
        """Hear the forkserver, and start it again where it has ended; where that fails, attempts do not wait for it."""
        if self._is_paused():
            return
        try:
            with self._launching:
                for message in self.launcher.forkserver.messages():
                    logger.debug("forkserver says %s", message)
                self.launcher.reap()
                self.launcher.warm_up()
        except Exception:
            self._tend_at = time.monotonic() + ERROR_SECONDS
            logger.exception("the forkserver cannot be tended, trying again in %.0f s", ERROR_SECONDS)

    def _is_paused(self) -> bool:
        return time.monotonic() < self._tend_at

    def _look(self, one: Tracked) -> Report | None:
        if one.trouble is not None:
            return Unknown(one.trouble)
        if one.shim is None:
            return self._look_for_shim(one)
        alive = one.is_alive()
        if alive and one.is_late():
            one.signal(signal.SIGKILL)
            one.stop_deadline = None
        if alive or not one.reported:
            one.reported = True
            return Started(one.started_at)
        return Unknown("its process is gone")

    def _look_for_shim(self, one: Tracked) -> Report | None:
        record = read_record(one.files.folder)
        if record is not None:
            # Without the trainer the shim is just about to fork it, or has died trying: its pidfd tells which.
            one.find(record)
            return self._look(one)
        if os.path.lexists(one.files.process):
            # It may have been made just now. Where it cannot be read, the run has put something else in its place.
            return Unknown("process.json cannot be read")
        if self._is_overdue(one):
            return Unknown(_overdue())
        with self._launching:
            dropped = not self.launcher.still_has(one.asked)
        return Dropped() if dropped and one.files.order.exists() else None

    def _is_overdue(self, one: Tracked) -> bool:
        return time.monotonic() - one.since > START_TIMEOUT_SECONDS

    def _settle_start(self, one: Tracked) -> str | None:
        """Find the shim of an attempt; where it has none, make sure that it gets none, and return why."""
        reason = _overdue() if one.ordered else STOPPED_BETWEEN
        # First to write process.json has the attempt: from here on a shim that comes late starts nothing.
        if give_up_attempt(one.files.folder):
            return reason
        record = read_record(one.files.folder)
        if record is None:
            one.trouble = "process.json cannot be read"
        elif shim_of(record) is None:
            return reason
        else:
            self._find(one, record)
        return None

    def _find(self, one: Tracked, record: dict[str, object]) -> None:
        try:
            one.find(record)
        except OSError:
            raise
        except Exception as error:
            one.trouble = f"finding its process failed: {describe_error(error)}"

    def _look_after(self, one: Tracked) -> Report:
        """Look for the processes of an attempt whose shim cannot be named."""
        left = marked(one.mark)
        if not left:
            return self._end(one, same_boot=True)
        if one.stop_asked:
            signal_all(left, signal.SIGKILL if one.is_late() else signal.SIGTERM)
        return Started(one.started_at, one.trouble)

    def _end(self, one: Tracked, *, same_boot: bool) -> Report:
        """Return how an attempt without a shim ended, once nothing of it is alive."""
        ending = read_exit(one.files.folder)
        if ending is not None:
            return Ended(ending, one.started_at)
        if not same_boot:
            return Lost("host restarted", with_node=True)
        left = self._sweep(one)
        if left:
            named = ", ".join(map(str, left[:PIDS_NAMED]))
            return Unknown(f"processes that it has left cannot be ended: {named}")
        return Lost(KILLED, one.started_at)

    def _sweep(self, one: Tracked) -> list[int]:
        """End what a killed shim has left; return what is still alive after a while."""
        deadline = time.monotonic() + SWEEP_SECONDS
        while left := marked(one.mark):
            if time.monotonic() > deadline or self._closing.is_set():
                return left
            signal_all(left, signal.SIGKILL)
            self._closing.wait(SWEEP_PAUSE_SECONDS)
        return []


def _overdue() -> str:
    return f"no process came up within {START_TIMEOUT_SECONDS:.0f} s"
