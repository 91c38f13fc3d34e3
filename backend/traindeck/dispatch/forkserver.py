"""The server's end of the forkserver: starts it, sends it orders, hears what became of them."""

import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from traindeck import runner
from traindeck.dispatch.imports import Imports
from traindeck.openfiles import limit_of_user
from traindeck.runner.environment import placeholder_mark, plain_environment

logger = logging.getLogger(__name__)

PROGRAM = Path(runner.__file__).with_name("importlib_bootstrap.py")
MESSAGE_BYTES = 65_536
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
"""An interpreter makes its streams as it starts, and a warm run has those of the forkserver: nothing waits in them."""

RESTART_SECONDS = (0.0, 0.5, 2.0, 5.0, 15.0)
"""How long to wait before the next start, after so many starts that came to nothing."""


class Forkserver:
    """One forkserver process, started again where it ends by itself."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self.failures = 0
        self._next_start = 0.0
        self.imports = Imports()

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
        with theirs, self.log.open("ab") as log, limit_of_user():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd="/",
                env={**plain_environment(), **UNBUFFERED, **placeholder_mark()},
            )
        self._socket, self.ready, self.imports = ours, False, Imports()
        logger.info("forkserver started pid=%d", self._process.pid)
        return True

    def order(self, path: Path | str) -> bool:
        """Ask for an attempt; False where the process is gone."""
        try:
            if self._socket is None:
                return False
            self._socket.send(os.fsencode(path))
        except OSError:
            return False
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
        retired, self._process = self._process, None
        if self._socket is not None:
            self._socket.close()
        self._socket, self.ready, self._next_start = None, False, 0.0
        return retired

    def close(self) -> None:
        """Have the process end: it does when our end of the socket is closed. Runs go on."""
        if self._process is not None and not self.ready:
            # Still importing, it would not notice for seconds; it has not started anything yet.
            self._process.terminate()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._reap()

    def _note(self, message: dict[str, Any]) -> dict[str, Any]:
        if "imported" in message:
            self.imports.note(message["imported"], message["folders"])
        if message.get("ready"):
            self.ready, self.failures = True, 0
            for module, why in message["missing"].items():
                logger.warning("forkserver could not import %s: %s", module, why)
        return message

    def _ended(self) -> None:
        self.failures += 1
        wait = RESTART_SECONDS[min(self.failures, len(RESTART_SECONDS) - 1)] if not self.ready else 0.0
        self._next_start = time.monotonic() + wait
        logger.warning("forkserver ended, it is started again in %.1f s; its log is %s", wait, self.log)
        self.ready = False
        self.close()

    def _reap(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
