"""The command line as a person has it: on a terminal, of so many columns, with a keyboard and Ctrl-C."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence

from support.waiting import wait_for


class Terminal:
    """A command on a terminal of its own; `shown` is every byte that it has written there."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], columns: int) -> None:
        self.shown = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        os.set_blocking(self._master, False)
        self.process = subprocess.Popen(command, env=env, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)

    @property
    def text(self) -> str:
        """What was written so far, control sequences and all."""
        return self.shown.decode(errors="replace")

    def wait_for(self, text: str) -> None:
        """Return once the text has been shown."""
        wait_for(lambda: self._read() and text in self.text, f"{text!r} on the terminal: {self.text!r}")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C, to this command alone."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """The exit code, once it has ended and everything is read."""
        wait_for(lambda: self._read() and self.process.poll() is not None, f"the command ends: {self.text!r}")
        self._read()
        os.close(self._master)
        return self.process.wait()

    def _read(self) -> bool:
        while True:
            try:
                chunk = os.read(self._master, 65536)
            except OSError:
                # Nothing there (EAGAIN), or the other side is closed (EIO).
                return True
            if not chunk:
                return True
            self.shown += chunk
