"""The server's way to TensorBoard: `Boards.proxy` answers a request for a board, whatever happens to it."""

import asyncio
import logging
import secrets
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from traindeck.boards.boardspec import BOARD_HEADER, NOT_OPEN_STATUS, REFERENCE_HEADER, STATE_METHOD, BoardSpec, Opening
from traindeck.boards.headers import SECURITY_HEADERS, request_headers, response_headers
from traindeck.boards.state import BoardDisk, BoardPhase, BoardState
from traindeck.boards.supervisor import Child, Supervisor, Unavailable

POLICY = "default-src 'none'; frame-ancestors 'self'"

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark">{refresh}
<title>{title}</title></head>
<body><h1>{title}</h1><p>{detail}</p></body>
</html>
"""
METHODS = ("GET", "HEAD", "POST")
"""TensorBoard's front end posts what it asks for when it is long; it changes nothing."""
LIMIT_BODY_BYTES = 8 << 20
CONNECTIONS = 100
CONNECT_SECONDS = 2.0
PING_SECONDS = 2.0
PATIENCE_SECONDS = 3.0
"""An answer that takes longer makes one ask whether the process answers at all."""
GONE_SECONDS = 1.0
"""A connection breaks a little before the end of the process at its other end is known."""
ATTEMPTS = 3
FAILED_STATUS = 500
_NO_FOLDER = "This run has no folder on this machine yet, so TensorBoard has nothing to show."
_NO_FOLDERS = "No run of this board has a folder on this machine yet, so TensorBoard has nothing to show."
logger = logging.getLogger(__name__)


def refusal(
    request: Request,
    status: int,
    detail: str,
    retry_after_seconds: float | None = None,
    *,
    reference: str | None = None,
) -> Response:
    """Return the answer with that status; where trying again is of use, a page does so by itself."""
    headers = SECURITY_HEADERS | {"content-security-policy": POLICY, "cache-control": "no-store"}
    title = HTTPStatus(status).phrase
    refresh = ""
    if retry_after_seconds is not None:
        seconds = max(1, round(retry_after_seconds))
        headers["retry-after"] = str(seconds)
        refresh = f'<meta http-equiv="refresh" content="{seconds}">'
    if "text/html" in request.headers.get("accept", ""):
        page = PAGE.format(title=escape(title), detail=escape(detail), refresh=refresh)
        return HTMLResponse(page, status, headers)
    problem = {"title": title, "status": status, "detail": detail, "errors": [], "reference": reference}
    return JSONResponse(problem, status, headers, media_type="application/problem+json")


@dataclass(frozen=True, slots=True)
class _Call:
    """One request to a board, or for what all boards share, held so that it can be repeated."""

    opening: Opening | None
    method: str
    target: bytes
    headers: dict[str, str]
    body: bytes


class _FailedError(Exception):
    """TensorBoard answers that it failed; `reference` stands in the log of its process, if it gave one."""

    def __init__(self, status: int, reference: str | None) -> None:
        super().__init__(status)
        self.status = status
        self.reference = reference


class _StuckError(Exception):
    """The process lives, and does not answer."""


class Boards:
    """The boards of one server; nothing is started before `start` or the first request.

    Args:
        log_path: Where TensorBoard's warnings and errors go.
        limit: Boards that are kept open at most.
        idle_seconds: How long a board that nobody uses is kept open.
        memory_mb: How much memory TensorBoard may take, in millions of bytes.
        answer_seconds: How long TensorBoard may take for an answer.
        python: The interpreter that runs TensorBoard.
    """

    def __init__(
        self,
        log_path: Path,
        *,
        limit: int = 50,
        idle_seconds: float = 900.0,
        memory_mb: int = 1000,
        answer_seconds: float = 60.0,
        python: str = sys.executable,
    ) -> None:
        self._answer_seconds = answer_seconds
        self._patience_seconds = min(PATIENCE_SECONDS, answer_seconds)
        self._supervisor = Supervisor(log_path, limit, idle_seconds, memory_mb, python)
        self._disk = BoardDisk()
        self._clients: dict[Path, httpx.AsyncClient] = {}
        self._warming: asyncio.Task[Child | Unavailable] | None = None

    def start(self) -> None:
        """Begin to start TensorBoard, so that the first board need not wait for it; returns at once."""
        self._warming = asyncio.create_task(self._supervisor.ensure())

    async def stop(self) -> None:
        """End TensorBoard and give up every connection to it."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        await self._supervisor.stop()
        await self._drop_clients()

    async def proxy(self, request: Request, board: BoardSpec, path: str) -> Response:
        """Answer `request`, whose address is the board's followed by `path`, from TensorBoard.

        Always an answer, never an error: 403 for a WebSocket, 404 where the run has no folder, 405, 413, 504
        where TensorBoard takes too long, and 503 while it cannot be had.
        """
        address = request.scope["path"]
        if request.method not in METHODS:
            return refusal(request, 405, f"A board answers {', '.join(METHODS)}.")
        if "upgrade" in request.headers:
            return refusal(request, 403, "A board has no WebSocket.")
        if not path and not address.endswith("/"):
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(quote(address) + "/" + query)
        if not board.has_folder():
            return refusal(request, 404, board.absent or (_NO_FOLDER if len(board.folders) == 1 else _NO_FOLDERS))
        body = await _body(request)
        if body is None:
            return refusal(request, 413, f"A request to a board has at most {LIMIT_BODY_BYTES} bytes.")
        prefix = address[: len(address) - len(path)].rstrip("/")
        return await self._answer(request, _call(request, Opening(board, prefix), body))

    async def shared(self, request: Request) -> Response:
        """Answer a GET or HEAD below `SHARED_PATH`, as `proxy` does; opens no board."""
        return await self._answer(request, _call(request, None, b""))

    async def state(self, board: BoardSpec, prefix: str) -> BoardState:
        """Return how far the board at the address `prefix` is; opens no board and starts no process."""
        # An open board keeps what it has read: it does not say that its folder has gone.
        if not await run_in_threadpool(board.has_folder):
            return BoardState(BoardPhase.GONE)
        child = self._supervisor.now()
        if isinstance(child, Child):
            try:
                answer = await _ask_state(await self._client(child), Opening(board, prefix).key)
            except httpx.TransportError:
                child = Unavailable("", 0.0)
            else:
                if answer is not None:
                    return answer
        seen = await run_in_threadpool(self._disk.look, board)
        if isinstance(child, Unavailable) and seen.state is BoardPhase.CLOSED:
            return replace(seen, state=BoardPhase.AWAY, reason=child.reason)
        return seen

    async def _answer(self, request: Request, call: _Call) -> Response:
        """Ask, and ask again where the process dies meanwhile and another takes its place."""
        for _ in range(ATTEMPTS):
            child = await self._supervisor.ensure()
            if isinstance(child, Unavailable):
                return _unavailable(request, child)
            client = await self._client(child)
            try:
                return await self._watched(_ask(client, call), client)
            except httpx.ReadTimeout:
                if await _answers(client):
                    return refusal(request, 504, "TensorBoard took too long to answer.")
                await self._supervisor.kill(child)
            except _StuckError:
                await self._supervisor.kill(child)
            except _FailedError as error:
                return _failed(request, error)
            except httpx.HTTPStatusError:
                return _unavailable(request, Unavailable("it could not open this board; see its log", 5.0))
            except httpx.TransportError as error:
                board = call.opening.board.id if call.opening else "all"
                logger.warning("board=%s request failed, asking again: %r", board, error)
                await child.has_ended(GONE_SECONDS)
        return _unavailable(request, Unavailable("TensorBoard ended while it answered", 1.0))

    async def _watched(self, answer: Coroutine[Any, Any, Response], client: httpx.AsyncClient) -> Response:
        """Return the answer; where it takes long, as long as the process answers anything at all.

        Raises:
            _StuckError: it does not.
        """
        asking = asyncio.ensure_future(answer)
        try:
            while not (await asyncio.wait([asking], timeout=self._patience_seconds))[0]:
                if not await _answers(client) and not asking.done():
                    raise _StuckError
            return await asking
        finally:
            asking.cancel()

    async def _client(self, child: Child) -> httpx.AsyncClient:
        if child.socket not in self._clients:
            await self._drop_clients()
            transport = httpx.AsyncHTTPTransport(
                uds=str(child.socket), limits=httpx.Limits(max_connections=CONNECTIONS)
            )
            timeout = httpx.Timeout(self._answer_seconds, connect=CONNECT_SECONDS)
            self._clients[child.socket] = httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False)
        return self._clients[child.socket]

    async def _drop_clients(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


def _call(request: Request, opening: Opening | None, body: bytes) -> _Call:
    # Only path and query are the visitor's; host, port and socket are ours.
    target = quote(request.scope["path"]).encode()
    if request.scope["query_string"]:
        target += b"?" + request.scope["query_string"]
    headers = request_headers(request.headers) | ({BOARD_HEADER: opening.key} if opening else {})
    return _Call(opening, request.method, target, headers, body)


async def _body(request: Request) -> bytes | None:
    """Return the request's body, or None as soon as it is more than a board is told."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT_BODY_BYTES:
            return None
    return bytes(body)


async def _ask(client: httpx.AsyncClient, call: _Call) -> Response:
    """Return one answer, opening the board first where it is not open."""
    answer = await _send(client, call)
    if answer.status_code == NOT_OPEN_STATUS and call.opening:
        await answer.aclose()
        opened = await client.put("http://boards/", content=call.opening.encode())
        opened.raise_for_status()
        answer = await _send(client, call)
    if answer.status_code >= FAILED_STATUS:
        await answer.aclose()
        raise _FailedError(answer.status_code, answer.headers.get(REFERENCE_HEADER))
    headers = response_headers(answer.headers, call.opening.prefix if call.opening else "")
    return StreamingResponse(_stream(answer), answer.status_code, headers)


async def _ask_state(client: httpx.AsyncClient, key: str) -> BoardState | None:
    """Return the state of the board of that key; None where it is not open."""
    headers = {BOARD_HEADER: key}
    answer = await client.request(STATE_METHOD, "http://boards/", headers=headers, timeout=PING_SECONDS)
    return BoardState.decode(answer.content) if answer.is_success else None


async def _send(client: httpx.AsyncClient, call: _Call) -> httpx.Response:
    url = httpx.URL(scheme="http", host="boards", raw_path=call.target)
    request = httpx.Request(call.method, url, headers=call.headers, content=call.body)
    request.extensions = {"timeout": client.timeout.as_dict()}
    return await client.send(request, stream=True)


async def _stream(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


async def _answers(client: httpx.AsyncClient) -> bool:
    """Return whether the process answers anything: a board may be slow where the process is not stuck."""
    try:
        await client.get("http://boards/", timeout=PING_SECONDS)
    except httpx.TransportError:
        return False
    return True


def _failed(request: Request, error: _FailedError) -> Response:
    """Answer in the place of TensorBoard's own page, which says nothing of what to do."""
    reference = error.reference or secrets.token_hex(4)
    path = request.scope["path"]
    logger.error("reference=%s %s %s failed in TensorBoard with %d", reference, request.method, path, error.status)
    detail = f"Something went wrong in TensorBoard. The logs of the deck have the details under reference {reference}."
    return refusal(request, 500, detail, reference=reference)


def _unavailable(request: Request, why: Unavailable) -> Response:
    detail = f"TensorBoard is not available: {why.reason}. This page tries again by itself."
    return refusal(request, 503, detail, why.retry_after_seconds)
