"""Calls of `traindeck` in forks of one process that has imported it: the start of Python is not what tests are about."""

import array
import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

MAX_REQUEST_BYTES = 1_000_000
SERVE = "serve"
LATE = (
    "traindeck.server", "traindeck.app", "alembic.context", "alembic.script", "packaging.requirements", "uvloop",
    "anyio.streams.tls",
)  # fmt: skip
"""What a server imports while it starts."""
READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_")
"""Variables that a Python reads as it starts begin so: for other values of these, a fork is no replacement."""


class Fork:
    """A call in a fork, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int, ending: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ending = ending

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"fork {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._ending], [], [], seconds)[0]:
            self.returncode = int(os.read(self._ending, 100))
            os.close(self._ending)
        return self.returncode


class ForkingProcess:
    """A process that runs the command line in forks of itself, as often as it is asked to."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # As in a user's shell, whatever the tests were started with.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        self._read_at_start = _read_at_start(environment)
        command = [sys.executable, __file__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=environment)
        theirs.close()

    def replaces(self, environment: Mapping[str, str]) -> bool:
        """Whether a fork is what a Python would be that is started with these variables."""
        return _read_at_start(environment) == self._read_at_start

    def start(self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, files: tuple[int, int, int]) -> Fork:
        """Begin a call, with these files as its standard streams."""
        umask = os.umask(0o077)
        os.umask(umask)
        request = {"arguments": list(arguments), "cwd": str(cwd), "env": dict(env), "umask": umask}
        ending, theirs = os.pipe()
        socket.send_fds(self._ours, [json.dumps(request).encode()], [*files, theirs])
        os.close(theirs)
        return Fork(int(self._ours.recv(100)), ending)

    def close(self) -> None:
        self._ours.close()
        self._process.wait()


@cache
def forking_process() -> ForkingProcess:
    """One for all tests of this process; it ends with it."""
    process = ForkingProcess()
    atexit.register(process.close)
    return process


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}


def serve(requests: socket.socket) -> None:
    """Begin one call after the other, and tell how each ends, until there is nobody to ask."""
    warm_up()
    calls: dict[int, tuple[int, int]] = {}
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != requests.fileno():
                poll.unregister(descriptor)
                _tell(descriptor, *calls.pop(descriptor))
                continue
            content, files, _, _ = socket.recv_fds(requests, MAX_REQUEST_BYTES, 4 * array.array("i").itemsize)
            if not content:
                return
            pid = os.fork()
            if pid == 0:
                requests.detach()
                become(json.loads(content), files[:3])
                return
            for file in files[:3]:
                os.close(file)
            calls[watched := os.pidfd_open(pid)] = pid, files[3]
            poll.register(watched, select.POLLIN)
            requests.send(b"%d" % pid)


def _tell(watched: int, pid: int, ending: int) -> None:
    _, status = os.waitpid(pid, 0)
    with suppress(BrokenPipeError):
        os.write(ending, b"%d" % os.waitstatus_to_exitcode(status))
    os.close(ending)
    os.close(watched)


def warm_up() -> None:
    """Import what commands import when they run, by a call that finds no deck, and what a server does."""
    from traindeck import cli

    sys.argv = ["traindeck", "runs", "--url", "http://127.0.0.1:9"]
    with (
        Path(os.devnull).open("w") as nothing,
        redirect_stdout(nothing),
        redirect_stderr(nothing),
        suppress(SystemExit),
    ):
        cli.main()
    for name in LATE:
        import_module(name)
    gc.freeze()


def become(request: dict[str, Any], files: Sequence[int]) -> None:
    """Be what `python -m traindeck.cli` with these arguments is; a server to the end of the interpreter."""
    for target, file in enumerate(files):
        os.dup2(file, target)
    os.closerange(3, 1000)
    os.chdir(request["cwd"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.path[0] = request["cwd"]
    errors = "backslashreplace"
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1, errors=errors)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    sys.argv = ["traindeck", *request["arguments"]]
    from traindeck import cli

    if request["arguments"][0] == SERVE:
        cli.main()
        return
    code: Any = 1
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
