"""Connections that trickle, stall, or send too much, against a server whose clock the tests put forward."""

import asyncio
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop

from support.served import ServedDeck
from support.waiting import wait_for
from traindeck.api.connections import Connection, Limits, Server
from traindeck.api.guard import HEADERS

SECONDS = 10.0
"""How long this thread waits for the server: less than any deadline that it has by its own clock."""
LIMITS = Limits(per_peer=20, linger_seconds=SECONDS)
"""As on a deck, but for a smaller number, and for the time that this thread has for reading a refusal."""
HOUR = 3600.0
KERNEL_HOLDS = 200_000
ANSWER = b"x" * 1000
LARGE = 20_000_000


class Loop(uvloop.Loop):
    """An event loop whose clock can be put forward: no wait of a test is long, and none can be too short."""

    skipped = 0.0

    def time(self) -> float:
        return float(super().time()) + self.skipped


class Serving:
    """A small application behind connections with deadlines, in a thread."""

    def __init__(self, limits: Limits) -> None:
        self.received = self.taken = self.disconnected = 0
        self.idle = asyncio.Event()
        serving = self

        class Counted(Connection):
            def data_received(self, data: bytes) -> None:
                super().data_received(data)
                serving.taken += len(data)

        Counted.limits = limits
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        config = uvicorn.Config(self.app, interface="asgi3", http=Counted, ws="none", lifespan="off", log_config=None)
        self.connections: list[socket.socket] = []
        self.server = Server(config)
        self.loop = Loop()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        wait_for(lambda: self.server.started, "the server has started")

    def serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self.server.serve([self.listener]))

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer once the body is there: `/busy` later, `/endless` for ever, `/large` with more than a socket holds."""
        if scope["path"] == "/busy":
            await self.idle.wait()
        while scope["method"] == "POST":
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected += 1
                return
            self.received += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/large":
            for _ in range(LARGE // 100_000):
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        if scope["path"] == "/endless":
            gone = asyncio.ensure_future(until_gone(receive))
            while not gone.done():
                await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
                await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": ANSWER})

    def connect(self, content: bytes = b"") -> socket.socket:
        """Connect, send, and wait until the server has taken that."""
        connection = self.call()
        if content:
            self.send(connection, content)
        else:
            wait_for(lambda: self.peers() == {one.getsockname() for one in self.connections}, "the server has it")
        return connection

    def call(self) -> socket.socket:
        """Connect, and wait for nothing."""
        connection = socket.socket()
        self.connections.append(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_HOLDS)
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def send(self, connection: socket.socket, content: bytes) -> None:
        """Send, and wait until the server has taken it."""
        expected = self.taken + len(content)
        connection.sendall(content)
        wait_for(lambda: self.taken >= expected, "the server has taken what was sent")

    def skip(self, seconds: float) -> None:
        """Put the clock forward, and have the server look after its connections."""

        def skip() -> None:
            self.loop.skipped += seconds
            self.server.sweep()
            done.set_result(None)

        done: Future[None] = Future()
        self.loop.call_soon_threadsafe(skip)
        done.result(SECONDS)

    def only(self) -> Connection:
        """The one connection that there is."""
        (connection,) = self.server.server_state.connections
        assert isinstance(connection, Connection)
        return connection

    def peers(self) -> set[object]:
        return {one.client for one in list(self.server.server_state.connections) if isinstance(one, Connection)}

    def open_connections(self) -> int:
        return len(self.server.server_state.connections)

    def hang_up(self) -> None:
        """Close all connections, and begin to count anew."""
        for connection in self.connections:
            connection.close()
        self.connections.clear()
        wait_for(lambda: self.open_connections() == 0, "the server has let go of all")
        wait_for(lambda: not self.server.server_state.tasks, "every request has been answered")
        self.received = self.taken = self.disconnected = 0

    def end(self) -> None:
        self.hang_up()
        self.server.should_exit = True
        self.thread.join()
        self.listener.close()


async def until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """One server for all of these tests."""
    serving = Serving(LIMITS)
    yield serving
    serving.end()


@pytest.fixture
def serving(served: Serving) -> Iterator[Serving]:
    """The server, without a connection."""
    yield served
    served.hang_up()


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    answer = b""
    while part := connection.recv(65_536):
        answer += part
    return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def assert_late(connection: socket.socket, reason: bytes) -> None:
    answer = rest_of(connection)
    assert status_of(answer) == 408
    assert reason in answer


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


def test_a_head_that_trickles_is_answered_and_closed(serving):
    connection = serving.connect(b"GET / HTTP/1.1\r\nX: ")
    serving.skip(LIMITS.head_seconds * 0.7)
    serving.send(connection, b"a")
    serving.skip(LIMITS.head_seconds * 0.7)

    assert_late(connection, b"head of the request did not come within 15 s")
    assert serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").recv(100).startswith(b"HTTP/1.1 200")


def test_a_head_may_take_its_time(serving):
    connection = serving.connect(b"GET / HTTP/1.1\r\n")
    serving.skip(LIMITS.head_seconds * 0.7)
    serving.send(connection, b"Host: localhost\r\n\r\n")

    assert status_of(connection.recv(65_536)) == 200


@pytest.mark.parametrize("content", [b"", b"\r\n", b"G"], ids=["nothing", "a line break", "a letter"])
def test_a_connection_that_asks_nothing_is_closed(serving, content):
    connection = serving.connect(content)
    serving.skip(LIMITS.head_seconds + 1)

    rest_of(connection)
    wait_for(lambda: serving.open_connections() == 0 or serving.skip(SECONDS + 1), "nothing is left")


def test_line_breaks_between_two_requests_do_not_keep_a_connection(serving):
    connection = serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status_of(connection.recv(65_536)) == 200
    for _ in range(2):
        serving.send(connection, b"\r\n")
        serving.skip(LIMITS.head_seconds * 0.7)

    rest_of(connection)


@pytest.mark.parametrize("length", [b"Content-Length: 100000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_that_trickles_is_answered_and_closed(serving, length):
    connection = serving.connect(HEAD + length + b"\r\n")
    for _ in range(2):
        serving.send(connection, b"1\r\na\r\n" if b"chunked" in length else b"a")
        serving.skip(LIMITS.window_seconds * 0.7)

    assert_late(connection, b"body comes too slowly")
    wait_for(lambda: serving.disconnected == 1, "the application hears of it")


def test_a_body_that_is_steady_but_has_no_end_is_closed(serving):
    connection = serving.connect(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(3):
        assert serving.open_connections() == 1
        serving.send(connection, b"4e20\r\n" + b"a" * 20_000 + b"\r\n")
        serving.skip(LIMITS.body_seconds * 0.4)

    assert_late(connection, b"body did not come within 21600 s")


def test_a_large_body_that_comes_slowly_but_steadily_is_taken(serving):
    pieces, size = 10, LIMITS.window_bytes + 1000
    connection = serving.connect(HEAD + b"Content-Length: %d\r\n\r\n" % (pieces * size))
    for _ in range(pieces):
        serving.skip(LIMITS.window_seconds * 0.9)
        serving.send(connection, b"a" * size)

    assert status_of(connection.recv(65_536)) == 200
    assert serving.received == pieces * size


@pytest.fixture
def let_go(serving: Serving) -> Callable[[], None]:
    """The application does something else, until this is called."""
    serving.idle.clear()

    def let_go() -> None:
        serving.loop.call_soon_threadsafe(serving.idle.set)

    yield let_go
    let_go()


def test_a_client_that_waits_for_leave_to_send_its_body_is_not_hurried(serving, let_go):
    head = b"POST /busy HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    connection = serving.connect(head)
    serving.skip(HOUR)
    let_go()

    assert status_of(connection.recv(65_536)) == 100
    connection.sendall(b"body")
    assert status_of(connection.recv(65_536)) == 200


def test_a_body_that_the_server_does_not_read_yet_has_no_deadline(serving, let_go):
    # More than the server reads ahead, and no more than the kernel holds.
    size = 150_000
    head = b"POST /busy HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size
    connection = serving.call()
    connection.sendall(head + b"a" * size)
    wait_for(lambda: serving.open_connections() == 1 and serving.only().flow.read_paused, "the server reads no more")
    for _ in range(2):
        serving.skip(HOUR)
    let_go()

    assert status_of(connection.recv(65_536)) == 200
    assert serving.received == size


def test_an_answer_without_end_has_no_deadline(serving):
    connection = serving.connect(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for _ in range(10):
        assert connection.recv(65_536)
        serving.skip(HOUR)


def test_a_client_that_reads_slowly_gets_everything(serving):
    connection = serving.connect(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    wait_for(lambda: serving.only().flow.write_paused, "the server waits for its client")
    server_side, unsent, skips, received = serving.only(), 0, 0, 0
    while part := connection.recv(2_000_000):
        received += len(part)
        if not server_side.transport.is_closing() and server_side.transport.get_write_buffer_size() != unsent:
            unsent = server_side.transport.get_write_buffer_size()
            serving.skip(LIMITS.unread_seconds * 0.7)
            skips += 1
    assert received > LARGE
    assert skips > 3


def test_a_client_that_does_not_read_is_cut_off(serving):
    connection = serving.connect(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_for(lambda: serving.only().flow.write_paused, "the server waits for its client")
    wait_for(lambda: serving.skip(LIMITS.unread_seconds + 1) or serving.open_connections() == 0, "it is gone")
    assert connection.fileno() > 0


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 101, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 17_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"Y" * 17_000 + b": x\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + (b"X: " + b"y" * 1000 + b"\r\n") * 20, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 2_000_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200_000, 431),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n", 414),
        (b"GET /" + b"a" * 2_000_000, 414),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * 2_000_000, 431),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"y" * 2_000_000, 431),
        (b"GET http://evil.com/ HTTP/1.1\r\nHost: localhost\r\n", 400),
        (b"GET http://localhost@evil.com/ HTTP/1.1\r\nHost: localhost\r\n", 400),
        (b"GET http://localhost:1/ HTTP/1.1\r\nHost: localhost\r\n", 400),
        (b"GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\n", 400),
        (b"GET http://localhost/ HTTP/1.1\r\n", 400),
        (b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n", 400),
        (b"No Colon Here\r\n", 400),
    ],
)
def test_what_is_refused_says_why_with_the_headers_of_every_answer(serving, head, status):
    connection = serving.call()
    threading.Thread(target=send_all, args=(connection, head + b"\r\n"), daemon=True).start()
    answer = rest_of(connection)

    assert status_of(answer) == status
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"application/problem+json" in answer
    for name, value in HEADERS:
        assert b"%s: %s\r\n" % (name, value) in answer


def send_all(connection: socket.socket, content: bytes) -> None:
    try:
        connection.sendall(content)
    except OSError:
        return  # The server reads no more of it.


@pytest.mark.parametrize("target", [b"http://localhost/", b"HTTP://LOCALHOST/", b"/"])
def test_a_target_that_names_the_same_host_is_served(serving, target):
    answer = serving.connect(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target).recv(65_536)
    assert status_of(answer) == 200


def test_a_hundred_headers_of_sixteen_kilobytes_are_taken(serving):
    lines = b"".join(b"X-%02d: %s\r\n" % (number, b"y" * 150) for number in range(99))
    answer = serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n").recv(65_536)
    assert status_of(answer) == 200


def test_headers_after_a_body_are_none_of_the_request(serving):
    connection = serving.connect(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nOrigin: http://evil.com\r\n\r\n")
    assert status_of(connection.recv(65_536)) == 200


def test_a_request_is_answered_before_what_follows_it_is_refused(serving):
    answer = rest_of(serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nno request\r\n\r\n"))

    assert status_of(answer) == 200
    assert ANSWER in answer


def test_one_peer_has_a_bounded_number_of_connections_and_the_newest_is_served(serving):
    for _ in range(60):
        serving.call().sendall(b"GET / HTTP/1.1\r\n")

    answer = serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").recv(65_536)

    assert status_of(answer) == 200
    assert serving.open_connections() <= LIMITS.per_peer


def test_a_connection_that_is_answered_does_not_make_room_for_another(serving):
    streams = [serving.connect(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(LIMITS.per_peer)]
    for stream in streams:
        assert status_of(stream.recv(65_536)) == 200

    assert status_of(rest_of(serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))) == 503
    for stream in streams:
        assert stream.recv(65_536)


def test_the_total_is_bounded_too():
    serving = Serving(replace(LIMITS, total=10))
    try:
        for _ in range(30):
            serving.call().sendall(b"GET / HTTP/1.1\r\n")
        answer = serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").recv(65_536)
        assert status_of(answer) == 200
        assert serving.open_connections() <= 10
    finally:
        serving.end()


def test_a_deck_answers_beside_a_thousand_half_requests_and_gets_its_descriptors_back(target: ServedDeck):
    process = target.process
    assert process is not None
    descriptors = f"/proc/{process.pid}/fd"
    host, port = target.url.removeprefix("http://").split(":")
    before = count(descriptors)

    half = [socket.create_connection((host, int(port))) for _ in range(1000)]
    for connection in half:
        connection.sendall(b"GET /runs HTTP/1.1\r\nHost: loc")
    assert target.client.get("/runs").status_code == 200
    assert count(descriptors) < before + 700

    for connection in half:
        connection.close()
    wait_for(lambda: count(descriptors) < before + 20, "the descriptors are free again")


def count(folder: str) -> int:
    return len(os.listdir(folder))


def test_what_a_proxy_would_say_is_not_believed(target: ServedDeck):
    headers = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.com"}
    plain = target.client.get("/", follow_redirects=False)
    forwarded = target.client.get("/", follow_redirects=False, headers=headers)
    assert forwarded.headers["location"] == plain.headers["location"] == "/runs"


def test_a_run_has_the_users_limit_on_open_files(target: ServedDeck):
    assert target.process is not None
    before = limits_of(target.process.pid)
    run = target.launch("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))")
    target.wait_until_ended(run["id"])
    mine = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert str(mine) in target.log_of(run["id"])
    assert "TRAINDECK_OPEN_FILES" not in target.log_of(run["id"])
    soft = resource.RLIM_INFINITY if before[0] == "unlimited" else int(before[0])
    assert soft == resource.RLIM_INFINITY or soft >= mine[0]
    assert limits_of(target.process.pid) == before


def limits_of(pid: int) -> list[str]:
    """The soft and the hard limit of open files of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("Max open files"))
    return line.split()[3:5]
