"""The limits of connections: their number, their time, and how much is read from each.

Uvicorn only has a timeout for connections that are idle between two requests. A client that sends nothing, or a byte
now and then, would hold its connection forever, and some hundreds of them all file descriptors. Here each wait has a
deadline: for the head of a request, for its body (with a minimum rate), and for the client to read the answer. An
answer itself has no deadline: event streams stay open, and a large download takes its time.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from traindeck.api.guard import refusal

ABSOLUTE_FORM = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
SWEEP_TICKS = 5
"""Uvicorn ticks ten times a second."""


@dataclass(frozen=True)
class Limits:
    """The bounds of one connection, and of their number."""

    per_peer: int = 512
    total: int = 4096
    target_bytes: int = 65_535
    header_bytes: int = 16_384
    header_lines: int = 100
    unparsed_bytes: int = 131_072
    """The most bytes without the end of a head, or without a byte of a body."""
    head_seconds: float = 15.0
    body_seconds: float = 6 * 3600.0
    window_seconds: float = 20.0
    window_bytes: int = 10_000
    """The fewest bytes of a body in each window: 500 bytes/s."""
    unread_seconds: float = 120.0
    """How long a client may read nothing of an answer."""
    linger_seconds: float = 2.0
    """How long a refused client has to read the reason, which a reset would discard."""


class _Part(StrEnum):
    """The part of a request that is expected next."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


class _RefusedError(Exception):
    """Ends the parsing of a request."""


class Connection(HttpToolsProtocol):
    """A connection of uvicorn with bounds."""

    limits: ClassVar[Limits] = Limits()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._awaited = _Part.HEAD
        self._since = self._window = self.loop.time()
        self._window_bytes = 0
        self._unparsed = 0
        self._header_bytes = self._header_lines = 0
        self._refusal: tuple[int, str] | None = None
        self._deaf = False
        """Whether nothing more is read."""
        self._lingers_from: float | None = None
        self._unsent = (0, self._since)

    def connection_made(self, transport: Any) -> None:
        """Accept the connection. If there are too many, close the least useful one instead."""
        super().connection_made(transport)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        peers = [one for one in self.connections if isinstance(one, Connection) and one._peer == self._peer]
        if len(peers) <= self.limits.per_peer and len(self.connections) <= self.limits.total:
            return
        rank, victim = max(((one._uselessness(self.loop.time()), one) for one in peers if one is not self), key=_rank)
        if rank[0] == 0:
            self._refuse(503, "There are too many connections from this address. Close some, and try again.")
        else:
            self.connections.discard(victim)
            victim.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read a piece of a request, unless reading has stopped."""
        if self._deaf or self.transport.is_closing():
            return
        self._unparsed += len(data)
        self._window_bytes += len(data)
        super().data_received(data)
        if self._unparsed > self.limits.unparsed_bytes and not self._deaf:
            self._refuse(431, "The head of the request is too large.")
        elif self._awaited is _Part.NOTHING and self._is_idle() and self.timeout_keep_alive_task is None:
            # Line breaks before a request are no request yet, but stop the timer of an idle connection.
            self._await_part(_Part.HEAD)

    def on_message_begin(self) -> None:
        """Start the time for a head, which runs from the first byte, or from the connection."""
        super().on_message_begin()
        self._header_bytes = self._header_lines = 0
        if self._awaited is not _Part.HEAD:
            self._await_part(_Part.HEAD)

    def on_url(self, url: bytes) -> None:
        """Read a piece of the target."""
        super().on_url(url)
        if len(self.url) > self.limits.target_bytes:
            self._stop_parsing(414, f"The address has more than {self.limits.target_bytes} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header line; those that follow a body are counted and ignored."""
        self._header_bytes += len(name) + len(value) + 4
        self._header_lines += 1
        if self._header_bytes > self.limits.header_bytes or self._header_lines > self.limits.header_lines:
            most = f"{self.limits.header_bytes} bytes and {self.limits.header_lines} lines"
            self._stop_parsing(431, f"The request has more headers than {most}. Delete cookies, or send fewer headers.")
        if self._awaited is _Part.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head. Refuse a target that names another host than the header Host (RFC 9112, 3.2.2)."""
        self._unparsed = 0
        if not self.url.startswith(b"/") and self.url != b"*":
            named = ABSOLUTE_FORM.match(self.url)
            hosts = [value.lower() for name, value in self.headers if name == b"host"]
            if named is None or hosts != [named[1].lower()]:
                self._stop_parsing(400, "The address of the request and its header Host name different hosts.")
        self._await_part(_Part.BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Read a piece of the body."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        self._unparsed = 0
        self._awaited = _Part.NOTHING
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse what cannot be parsed, with the headers of every answer."""
        self._refuse(*(self._refusal or (400, "The request cannot be read as HTTP (RFC 9112).")))

    def check(self, now: float) -> None:
        """Close the connection if it is past a deadline."""
        if self._lingers_from is not None and now - self._lingers_from > self.limits.linger_seconds:
            self._lingers_from = None
            self.transport.close()
        elif self.transport.is_closing() or self.flow.write_paused:
            self._check_writing(now)
        elif self.flow.read_paused or (self.cycle is not None and self.cycle.waiting_for_100_continue):
            # The server does not read, or has not told the client to continue.
            self._window, self._window_bytes = now, 0
        elif self._awaited is _Part.HEAD:
            self._check_head(now)
        elif self._awaited is _Part.BODY:
            self._check_body(now)

    def _check_head(self, now: float) -> None:
        if now - self._since <= self.limits.head_seconds:
            return
        if self._unparsed:
            self._refuse(408, f"The head of the request did not come within {self.limits.head_seconds:g} s.")
        else:
            # Browsers open connections in advance, and do not report the end of an unused one as an error.
            self.transport.close()

    def _check_body(self, now: float) -> None:
        if now - self._since > self.limits.body_seconds:
            self._refuse(408, f"The body did not come within {self.limits.body_seconds:g} s.")
        elif now - self._window > self.limits.window_seconds:
            if self._window_bytes < self.limits.window_bytes:
                rate = self.limits.window_bytes / self.limits.window_seconds
                self._refuse(408, f"The body comes too slowly: at least {rate:g} bytes a second are expected.")
            self._window, self._window_bytes = now, 0

    def _check_writing(self, now: float) -> None:
        size, at = self._unsent
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != size:
            self._unsent = (unsent, now)
        elif now - at > self.limits.unread_seconds:
            self.transport.abort()

    @property
    def _peer(self) -> str | None:
        return self.client[0] if self.client else None

    def _await_part(self, part: _Part) -> None:
        self._awaited = part
        self._since = self._window = self.loop.time()
        self._window_bytes = 0

    def _is_idle(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _uselessness(self, now: float) -> tuple[int, float]:
        """Return a rank, 0 for a connection in use, and how long it has waited."""
        if self._lingers_from is not None:
            return 4, now - self._lingers_from
        if self._awaited is _Part.NOTHING:
            return (3 if self._is_idle() else 0), now - self._since
        return (2 if self._awaited is _Part.HEAD else 1), now - self._since

    def _stop_parsing(self, status: int, detail: str) -> None:
        self._refusal = (status, detail)
        raise _RefusedError

    def _refuse(self, status: int, detail: str) -> None:
        """Stop reading, and say why, unless the client is receiving another answer."""
        self._deaf = True
        self._awaited = _Part.NOTHING
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not cycle.more_body:
            # The answers to earlier requests come first, and end the connection.
            cycle.keep_alive = False
        elif cycle is not None and (cycle.response_started or self.pipeline) and cycle.more_body:
            self.transport.close()
        else:
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
            self._write_refusal(status, detail)

    def _write_refusal(self, status: int, detail: str) -> None:
        headers, content = refusal(status, detail)
        lines = [
            STATUS_LINE[status],
            *(b"%s: %s\r\n" % line for line in [*self.server_state.default_headers, *headers]),
        ]
        self.transport.write(b"".join([*lines, b"\r\n", content]))
        self.flow.resume_reading()
        self._unset_keepalive_if_required()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._lingers_from = self.loop.time()

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: the guard refuses requests for a WebSocket."""


def connection_within(total: int) -> type[Connection]:
    """Return a class of connections with at most `total` at a time."""
    limits = Limits(total=total, per_peer=min(Limits.per_peer, total))
    return type("Connection", (Connection,), {"limits": limits})


def _rank(ranked: tuple[tuple[int, float], Connection]) -> tuple[int, float]:
    return ranked[0]


class Server(uvicorn.Server):
    """Uvicorn's server, which also checks its connections."""

    async def on_tick(self, counter: int) -> bool:
        """Close the connections that are past a deadline."""
        if counter % SWEEP_TICKS == 0:
            self.sweep()
        return await super().on_tick(counter)

    def sweep(self) -> None:
        """Check every connection once."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.check(connection.loop.time())
