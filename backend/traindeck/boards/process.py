"""The boards process: TensorBoard for all open boards, on a Unix socket that only the server reaches.

    python -m traindeck.boards.process --socket FOLDER/boards.sock

Its standard input is its lifeline: it ends when that does, and so with the server, however the server ends.
It writes "ready" to standard output once it listens. Log lines go to standard error.
"""

import argparse
import ctypes
import logging
import os
import shutil
import sys
import threading
import types
from contextlib import suppress
from pathlib import Path

from traindeck.boards.memorylimit import MAX_STACK_BYTES, MEGABYTE, MemoryLimit, set_hard_limit
from traindeck.boards.openboards import OpenBoards
from traindeck.boards.service import BoardsService, make_server

TICK_SECONDS = 1.0
SWITCH_SECONDS = 0.0005
"""How long a thread that reads may hold the interpreter while others have answers to give."""

NOBODY_ELSE = 0o077
M_ARENA_MAX = -8
"""mallopt(3): one heap for each thread would keep what closed boards gave back."""


def main() -> None:
    """Serve until standard input ends."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
    sys.setswitchinterval(SWITCH_SECONDS)
    threading.stack_size(MAX_STACK_BYTES)
    set_hard_limit(options.memory_mb * MEGABYTE)
    _keep_tensorflow_out()
    memory = MemoryLimit(options.memory_mb * MEGABYTE)
    boards = OpenBoards(options.socket.parent / "trees", options.limit, options.idle_seconds, memory)
    os.umask(NOBODY_ELSE)
    server = make_server(options.socket, BoardsService(boards))
    threading.Thread(target=server.serve_forever, name="serve", daemon=True).start()
    threading.Thread(target=_tidy, args=(boards, memory), name="tidy", daemon=True).start()
    # A server that is gone by now closed the other end of standard input, too: the folder is still to be removed.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), b"ready\n")
    # Nobody waits for it yet.
    threading.Thread(target=boards.tensorboard.bundle.script, name="script", daemon=True).start()
    _wait_for_end_of_input()
    shutil.rmtree(options.socket.parent, ignore_errors=True)
    # Not sys.exit: a thread in the midst of a big file must not hold up the end.
    os._exit(0)


def _keep_tensorflow_out() -> None:
    """Provide a module for whose name TensorBoard looks before it imports TensorFlow."""
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="traindeck.boards.process")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--idle-seconds", type=float, default=900.0)
    parser.add_argument("--memory-mb", type=int, default=1000)
    return parser.parse_args()


def _tidy(boards: OpenBoards, memory: MemoryLimit) -> None:
    forever = threading.Event()
    while not forever.wait(TICK_SECONDS):
        boards.tick()
        memory.tick(boards)


def _wait_for_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass


if __name__ == "__main__":
    main()
