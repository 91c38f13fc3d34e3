"""The boards process: TensorBoard for all open boards, on a Unix socket that only the server reaches.

    python -m traindeck.boards.process --socket FOLDER/boards.sock

The process ends when its standard input does, and so with the server, however the server ends. It writes "ready" to
standard output when it listens. Log lines go to standard error. Its side of the protocol:

    PUT, an opening as JSON                 opens a board
    GET, /boards/bundle/...                 what all boards share
    REPORT, Traindeck-Board: KEY            the state of that board, as JSON; 410 if it is not open
    any other method, Traindeck-Board: KEY  goes to that board; 410 if it is not open

After 410 the server opens the board and repeats the request, so a board that was closed, or whose process died, opens
again unnoticed. Only the server writes that header.
"""

import argparse
import ctypes
import logging
import os
import secrets
import shutil
import socketserver
import sys
import threading
import types
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from traindeck.boards.boardspec import (
    BOARD_HEADER,
    NOT_OPEN_STATUS,
    REFERENCE_HEADER,
    SHARED_PATH,
    STATE_METHOD,
    Opening,
)
from traindeck.boards.memorylimit import MAX_STACK_BYTES, MEGABYTE, MemoryLimit, set_hard_limit
from traindeck.boards.openboards import OpenBoards

logger = logging.getLogger(__name__)

_KEY_VARIABLE = "HTTP_" + BOARD_HEADER.upper().replace("-", "_")
TICK_SECONDS = 1.0
SWITCH_SECONDS = 0.0005
"""How long a thread that reads may hold the interpreter while others have answers to give."""
NOBODY_ELSE = 0o077
M_ARENA_MAX = -8
"""mallopt(3): one heap for each thread would keep what closed boards gave back."""


class BoardsService:
    """A WSGI app that opens boards and passes requests on to them."""

    def __init__(self, boards: OpenBoards) -> None:
        self._boards = boards

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request; see PEP 3333."""
        if environ["REQUEST_METHOD"] == "PUT":
            self._boards.open(Opening.decode(Request(environ).get_data()))
            return Response(status=204)(environ, start_response)
        key = environ.pop(_KEY_VARIABLE, "")
        if not key and environ["PATH_INFO"].startswith(SHARED_PATH):
            return self._boards.tensorboard.bundle.serve_shared(environ, start_response)
        board = self._boards.get(key)
        if board is None:
            return Response(status=NOT_OPEN_STATUS)(environ, start_response)
        if environ["REQUEST_METHOD"] == STATE_METHOD:
            return Response(board.reader.state().encode())(environ, start_response)
        try:
            return board(environ, start_response)
        except Exception:
            reference = secrets.token_hex(4)
            # No query: a visitor may have written anything into it.
            logger.exception("reference=%s %s %s failed", reference, environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return Response(status=500, headers={REFERENCE_HEADER: reference})(environ, start_response)


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Leave requests out of the log: the server writes them down already."""

    def address_string(self) -> str:
        """Return who asks: the peer of a Unix socket has no address."""
        return "server"


class _Server(ThreadedWSGIServer):
    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for a host name, which a Unix socket has none of.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "boards", 0

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name for it
        """Write to the log of the boards process, without werkzeug's colours."""
        logger.log(logging.getLevelNamesMapping().get(type.upper(), logging.INFO), message.rstrip(), *args)


def make_server(socket: Path, app: BoardsService) -> ThreadedWSGIServer:
    """Return a server listening on a Unix socket, with a thread for each request."""
    return _Server(f"unix://{socket}", 0, app, _QuietHandler)


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
