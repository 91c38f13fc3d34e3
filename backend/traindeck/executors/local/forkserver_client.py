"""Start the forkserver, send it orders, receive what became of them, and notice when its imports are out of date."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from traindeck import runner
from traindeck.runner.freshness import Stamp, stamp_of_file, stamp_of_folder
from traindeck.runner.variables import placeholder_mark, plain_environment, variables_of_limit
from traindeck.system.openfiles import limit_of_user

EVERY_FILE_SECONDS = 10.0
"""How often at most to look at every file of the installed packages: they are thousands, and take 20 ms."""


class Imports:
    """What one forkserver has imported, and the state that it was in then."""

    def __init__(self) -> None:
        self._folders: dict[str, Stamp] = {}
        self._files: dict[str, Stamp] = {}
        self._editable: list[str] | None = None
        self._next_full = 0.0

    def note(self, stamps: dict[str, Stamp], folders: list[str]) -> None:
        """Add what the forkserver says of its imports: the stamps of files, and of the `folders` among them."""
        for path, stamp in stamps.items():
            (self._folders if path in folders else self._files)[path] = stamp

    def changed(self) -> str | None:
        """A folder or an editable source that has changed, at the cost of a few dozen looks; None where none has."""
        if self._editable is None:
            installed = tuple(
                path + os.sep for path in self._folders if path.endswith(("site-packages", "dist-packages"))
            )
            self._editable = [path for path in self._files if path.endswith(".pth") or not path.startswith(installed)]
        folder = next((path for path in self._folders if self._folder_changed(path)), None)
        return folder or self._first_changed(self._editable)

    def changed_anywhere(self) -> str | None:
        """Likewise for every imported file, but not more often than each ten seconds."""
        if time.monotonic() < self._next_full:
            return None
        changed = self.changed() or self._first_changed(self._files)
        self._next_full = time.monotonic() + EVERY_FILE_SECONDS
        return changed

    def _first_changed(self, files: Iterable[str]) -> str | None:
        return next((file for file in files if stamp_of_file(file) != self._files[file]), None)

    def _folder_changed(self, folder: str) -> bool:
        known = self._folders[folder]
        if stamp_of_file(folder)[0] == known[0]:
            return False
        now = stamp_of_folder(folder)
        if now[1] != known[1]:
            return True
        # A file came or went, such as a folder of compiled ones, but no package.
        self._folders[folder] = now
        return False


logger = logging.getLogger(__name__)

PROGRAM = Path(runner.__file__).with_name("importlib_bootstrap.py")
MESSAGE_BYTES = 65_536
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
"""An interpreter makes its streams as it starts, and a warm run has those of the forkserver: nothing waits in them."""

RESTART_SECONDS = (0.0, 0.5, 2.0, 5.0, 15.0)
"""How long to wait before the next start, after so many starts that came to nothing."""
STUCK_SECONDS = 2.0
"""A fork takes milliseconds: a process that has not taken up an order by then is stopped, or starved."""
STUCK_IMPORTING_SECONDS = 10.0
HOPELESS_SECONDS = 60.0

HOLD_SECONDS = 5.0
"""How long the imports wait for a run that was started in a fresh Python: about as long as its own take."""
HOLDS_SECONDS = 20.0
"""How long they wait in all, however many runs are started meanwhile."""


class Forkserver:
    """One forkserver process, started again where it ends by itself.

    Runs get its `umask`; -1 for the server's own.
    """

    def __init__(self, log: Path, umask: int = -1) -> None:
        self.log = log
        self.umask = umask
        self.ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self.failures = 0
        self._next_start = 0.0
        self._untaken: dict[str, float] = {}
        self.imported: set[str] = set()
        self.imports = Imports()
        self._has_begun = False
        self._held_until: float | None = None
        self._held_first: float | None = None

    @property
    def stuck(self) -> bool:
        """True while the process does not take up an order, so that runs start sooner without it."""
        return self._waited() > (STUCK_SECONDS if self.ready else STUCK_IMPORTING_SECONDS)

    @property
    def pid(self) -> int | None:
        """The pid of the process, None while there is none."""
        return self._process.pid if self._process else None

    def fileno(self) -> int | None:
        """The descriptor that turns readable when there is a message, None while there is no process."""
        return self._socket.fileno() if self._socket else None

    def ensure_started(self) -> bool:
        """Start the process if there is none and its back-off is over; True where there is one."""
        if self._socket is not None:
            return True
        if time.monotonic() < self._next_start:
            return False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        command = [sys.executable, str(PROGRAM), str(theirs.fileno())]
        with theirs, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd="/",
                umask=self.umask,
                env={**plain_environment(), **UNBUFFERED, **placeholder_mark(), **variables_of_limit(limit_of_user())},
            )
        self._socket = ours
        self._forget()
        logger.info("forkserver started pid=%d", self._process.pid)
        return True

    def hold(self) -> None:
        """Suspend the imports for a while: a run that is started without them needs the processor for its own."""
        # Before it has begun, a server that is killed would leave it suspended for good.
        if self._process is None or self.ready or self._untaken or not self._has_begun:
            return
        now = time.monotonic()
        self._held_first = self._held_first or now
        until = min(now + HOLD_SECONDS, self._held_first + HOLDS_SECONDS)
        if until > now:
            self._process.send_signal(signal.SIGSTOP)
            self._held_until = until

    def release(self, *, now: bool = False) -> None:
        """Continue the imports, now or once they have been held for long enough."""
        if self._held_until is not None and (now or time.monotonic() > self._held_until):
            self._held_until = None
            if self._process is not None:
                self._process.send_signal(signal.SIGCONT)

    def order(self, path: Path | str) -> bool:
        """Ask for an attempt; False where the process is gone."""
        self.release(now=True)
        try:
            if self._socket is None:
                return False
            self._socket.send(os.fsencode(path))
        except OSError:
            return False
        if isinstance(path, Path):
            self._untaken.setdefault(str(path), time.monotonic())
        return True

    def inspect(self, request: Path) -> bool:
        """Ask for the options of a script, by a request of runner/inspecting; False where the process is gone."""
        return self.order(json.dumps({"inspect": str(request)}))

    def messages(self) -> Iterator[dict[str, Any]]:
        """What has come since the last call. A process that has ended is noticed here."""
        while self._socket is not None:
            try:
                message = self._socket.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                message = b""
            if not message:
                self._ended()
                return
            yield self._note(json.loads(message))

    def retire(self) -> subprocess.Popen[bytes] | None:
        """Have no process any more. The one that was ends after what it was asked for; the caller reaps it."""
        self.release(now=True)
        retired, self._process = self._process, None
        if self._socket is not None:
            self._socket.close()
        self._socket, self._next_start = None, 0.0
        self._forget()
        return retired

    def end_if_hopeless(self) -> None:
        """Kill a process that has been stuck for long; `messages` notices, and another is started."""
        if self._process is not None and self._waited() > HOPELESS_SECONDS:
            logger.warning("forkserver pid=%d takes no orders: it is replaced", self._process.pid)
            self._process.kill()
            self._untaken.clear()

    def close(self) -> None:
        """Have the process end: it does when our end of the socket is closed. Runs go on."""
        self.release(now=True)
        if self._process is not None and not self.ready:
            # Still importing, it would not notice for seconds; it has not started anything yet.
            self._process.terminate()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._reap()

    def _note(self, message: dict[str, Any]) -> dict[str, Any]:
        if "began" in message:
            self._has_begun = True
        if "took" in message:
            self._untaken.pop(message["took"], None)
        if "module" in message:
            self.imported.add(message["module"])
        if "imported" in message:
            self.imports.note(message["imported"], message["folders"])
        if message.get("ready"):
            self.ready, self.failures = True, 0
            # What was asked while it imported counts from now.
            self._untaken = dict.fromkeys(self._untaken, time.monotonic())
            for module, why in message["missing"].items():
                logger.warning("forkserver could not import %s: %s", module, why)
        return message

    def _ended(self) -> None:
        self.failures += 1
        wait = RESTART_SECONDS[min(self.failures, len(RESTART_SECONDS) - 1)] if not self.ready else 0.0
        self._next_start = time.monotonic() + wait
        logger.warning("forkserver ended, it is started again in %.1f s; its log is %s", wait, self.log)
        self._forget()
        self.close()

    def _forget(self) -> None:
        """Know nothing of a process that was."""
        self.ready, self.imports = False, Imports()
        self._has_begun, self._held_until, self._held_first = False, None, None
        self.imported.clear()
        self._untaken.clear()

    def _waited(self) -> float:
        """How long the oldest order has been waiting to be taken up, in seconds."""
        return time.monotonic() - min(self._untaken.values()) if self._untaken else 0.0

    def _reap(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
