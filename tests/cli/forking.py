"""Calls of the command line in forks of one process that has imported it: the start of Python is not what they test."""

import array
import gc
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from traindeck import cli

MAX_REQUEST_BYTES = 1_000_000


class ForkingCommand:
    """A process that runs the command line in a fork of itself, as often as it is asked to."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    def run(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], files: tuple[int, int, int], seconds: float
    ) -> int:
        """The exit code of a call with these files as its standard streams."""
        self._ours.settimeout(seconds)
        request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)})
        socket.send_fds(self._ours, [request.encode()], files)
        return int(self._ours.recv(100))

    def close(self) -> None:
        self._ours.close()
        self._process.wait()


def serve(requests: socket.socket) -> None:
    """Carry out one request after the other, until there is nobody to ask."""
    warm_up()
    size = 3 * array.array("i").itemsize
    while True:
        content, files, _, _ = socket.recv_fds(requests, MAX_REQUEST_BYTES, size)
        if not content:
            return
        pid = os.fork()
        if pid == 0:
            become(json.loads(content), files)
        for file in files:
            os.close(file)
        _, status = os.waitpid(pid, 0)
        requests.send(b"%d" % os.waitstatus_to_exitcode(status))


def warm_up() -> None:
    """Import what commands import when they run, by a call that finds no deck."""
    sys.argv = ["traindeck", "runs", "--url", "http://127.0.0.1:9"]
    with (
        Path(os.devnull).open("w") as nothing,
        redirect_stdout(nothing),
        redirect_stderr(nothing),
        suppress(SystemExit),
    ):
        cli.main()
    gc.freeze()


def become(request: dict[str, Any], files: Sequence[int]) -> None:
    """Be what `python -m traindeck.cli` with these arguments is, to its end."""
    for target, file in enumerate(files):
        os.dup2(file, target)
    os.closerange(3, 100)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", errors="backslashreplace")  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    sys.argv = ["traindeck", *request["arguments"]]
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
