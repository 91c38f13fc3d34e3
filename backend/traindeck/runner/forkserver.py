"""A process that has torch imported and does nothing but fork: a launch takes milliseconds, not seconds.

    python .../runner/importlib_bootstrap.py FD

FD is a Unix socket of the server's (SOCK_SEQPACKET: a message is whole, though several processes write). Each message
to it is the path of an order; shims send back what became of it. When the server closes its end the forkserver ends;
shims and their runs continue.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from traindeck.runner import child, prctl, shim
from traindeck.runner.freshness import Stamp, stamps_of_folders, stamps_of_modules
from traindeck.runner.inspecting import watch
from traindeck.runner.unseen import unseen
from traindeck.runner.variables import restore_open_files

MADV_COLLAPSE = 25
PIECE_BYTES = 16 << 20
"""What is moved at once, in 20 ms or so: an order that comes meanwhile waits as long."""
MAPS = Path("/proc/self/maps")
SIZE = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
WARM_MODULES = ("torch", "torchvision", "torch.utils.tensorboard", child.TRAINING)
MESSAGE_BYTES = 65_536
STAMPS_IN_MESSAGE = 200


def collapse() -> Iterator[int]:
    """Move this process's own memory into huge pages, piece by piece; gives the bytes of each that was moved.

    What the kernel cannot move stays as it is.
    """
    try:
        huge = int(SIZE.read_text())
        regions = list(_regions(MAPS.read_text()))
    except (OSError, ValueError):
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for begin, end in regions:
        for at, size in _pieces(begin, end, huge):
            if madvise(at, size, MADV_COLLAPSE) == 0:
                yield size


def _regions(maps: str) -> Iterator[tuple[int, int]]:
    """Memory that is private, written to, and of no file: the heap and what was mapped for objects."""
    for line in maps.splitlines():
        addresses, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights == "rw-p" and (not name or name[0] == "[heap]"):
            begin, end = addresses.split("-")
            yield int(begin, 16), int(end, 16)


def _pieces(begin: int, end: int, huge: int) -> Iterator[tuple[int, int]]:
    """Yield the whole huge pages between two addresses, many at once."""
    first, last = -(-begin // huge) * huge, end // huge * huge
    step = max(huge, PIECE_BYTES // huge * huge)
    for at in range(first, last, step):
        yield at, min(step, last - at)


@unseen
def main(descriptor: int) -> None:
    """Import, say so, then fork for each order until the server is gone."""
    restore_open_files()
    server = socket.socket(fileno=descriptor)
    # The kernel reaps ended shims: this process does not wait for them, the server watches them by pidfd.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Ctrl-C in the terminal of the server is the server's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prctl.set_name("traindeck-fork")
    # The server may suspend the imports. Where it is killed then, they continue, and find it gone.
    prctl.signal_with_parent(signal.SIGCONT)
    server.send(json.dumps({"began": os.getpid()}).encode())
    folders, variables = stamps_of_folders(), dict(os.environ)
    missing = _import_all(server)
    # What the imports have set there, a script that does not import them would not find.
    os.environ.clear()
    os.environ.update(variables)
    _report_imports(server, {**folders, **stamps_of_modules()}, set(folders))
    server.send(json.dumps({"ready": True, "missing": missing}).encode())
    gc.collect()
    gc.freeze()
    spare = collapse()
    while message := _next_message(server, spare):
        if message.startswith(b"{"):
            _fork_inspection(Path(json.loads(message)["inspect"]), server)
        else:
            _fork_shim(Path(os.fsdecode(message)), server)
    # Python's own end would take torch apart for a second, and say so in the log.
    os._exit(0)


def _next_message(server: socket.socket, spare: Iterator[int]) -> bytes:
    """The next message. Until it comes, what was put off until the server had its "ready" is done, piece by piece."""
    for _ in spare:
        if select.select([server], [], [], 0)[0]:
            break
    return server.recv(MESSAGE_BYTES)


def _import_all(server: socket.socket) -> dict[str, str]:
    """Import what runs need; what cannot be imported, and why: those runs fail with their own error.

    Each import is reported: until then the server starts runs without this process where that is sooner.
    """
    missing = {}
    for name in WARM_MODULES:
        try:
            importlib.import_module(name)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"
        server.send(json.dumps({"module": name}).encode())
    return missing


def _report_imports(server: socket.socket, stamps: dict[str, Stamp], folders: set[str]) -> None:
    """Report what was imported, in messages of a bounded length; the server notices when it changes."""
    paths = list(stamps)
    for first in range(0, len(paths), STAMPS_IN_MESSAGE):
        part = {path: stamps[path] for path in paths[first : first + STAMPS_IN_MESSAGE]}
        server.send(json.dumps({"imported": part, "folders": [path for path in part if path in folders]}).encode())


@unseen
def _fork_shim(order_path: Path, server: socket.socket) -> None:
    if os.fork():
        _confirm_order(order_path, server)
        return
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        status = shim.supervise(order_path, server)
    except Exception:
        traceback.print_exc()
    finally:
        _end(status)


def _confirm_order(order_path: Path, server: socket.socket) -> None:
    """Confirm an order; the server may be gone, or too busy to read."""
    with contextlib.suppress(OSError):
        server.send(json.dumps({"took": str(order_path)}).encode(), socket.MSG_DONTWAIT)


def _fork_inspection(request: Path, server: socket.socket) -> None:
    if os.fork():
        return
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        server.close()
        watch.watch(request, warm=True)
    except Exception:
        traceback.print_exc()
    finally:
        _end(0)


def _end(status: int) -> NoReturn:
    try:
        sys.stderr.flush()
    finally:
        os._exit(status)
