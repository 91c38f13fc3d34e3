"""The boards process's side of the conversation with the server.

    PUT, an opening as JSON                opens a board
    GET, /boards/bundle/…                  what all boards share
    REPORT, Traindeck-Board: KEY           how far that board is, as JSON; 410 where it is not open
    any other method, Traindeck-Board: KEY  goes to that board; 410 where it is not open

The server repeats a request that met 410 once it has opened the board, so a board that was closed, or whose
process died, opens again without anybody noticing. Only that header says which board it is; the server writes it.
"""

import logging
import secrets
import socketserver
from collections.abc import Iterable
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
from traindeck.boards.openboards import OpenBoards

logger = logging.getLogger(__name__)

_KEY_VARIABLE = "HTTP_" + BOARD_HEADER.upper().replace("-", "_")


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
