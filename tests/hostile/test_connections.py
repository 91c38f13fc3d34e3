"""Connections that trickle, stall, or send too much, against a server with short deadlines."""

import asyncio
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvicorn

from support.served import ServedDeck
from support.waiting import wait_for
from traindeck.api.connections import Connection, Limits, Server
from traindeck.api.guard import HEADERS

QUICK = Limits(
    per_peer=20, head_seconds=0.5, body_seconds=4.0, window_seconds=0.5, window_bytes=1000, unread_seconds=0.5,
    linger_seconds=0.5,
)  # fmt: skip
SECONDS = 20.0
KERNEL_HOLDS = 200_000
ANSWER = b"x" * 1000


class Serving:
    """A small application behind connections with deadlines, in a thread."""

    def __init__(self, limits: Limits) -> None:
        kind = type("Quick", (Connection,), {"limits": limits})
        self.received = 0
        self.disconnected = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        config = uvicorn.Config(self.app, interface="asgi3", http=kind, ws="none", lifespan="off", log_config=None)
        self.connections: list[socket.socket] = []
        self.server = Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))
        self.thread.start()
        wait_for(lambda: self.server.started, "the server has started")

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer once the body is there: `/endless` for ever, `/large` with more than a socket holds."""
        if scope["path"] == "/busy":
            await asyncio.sleep(3 * QUICK.window_seconds)
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
            for _ in range(200):
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        while scope["path"] == "/endless" and not self.server.should_exit:
            await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
            await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": ANSWER})

    def connect(self, content: bytes = b"") -> socket.socket:
        connection = socket.socket()
        self.connections.append(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_HOLDS)
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", self.port))
        connection.sendall(content)
        return connection

    def end(self) -> None:
        for connection in self.connections:
            connection.close()
        self.server.should_exit = True
        self.thread.join()
        self.listener.close()

    def open_connections(self) -> int:
        return len(self.server.server_state.connections)


@pytest.fixture
def serving() -> Iterator[Serving]:
    serving = Serving(QUICK)
    yield serving
    serving.end()


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    answer = b""
    while part := connection.recv(65_536):
        answer += part
    return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def trickle(connection: socket.socket, content: bytes) -> bytes:
    """Send a byte now and then until the server answers or closes; what it says."""
    connection.settimeout(0.05)
    deadline = time.monotonic() + SECONDS
    for byte in content * 10_000:
        assert time.monotonic() < deadline, "the connection stays open"
        try:
            connection.sendall(bytes([byte]))
            return connection.recv(65_536)
        except TimeoutError:
            continue
        except OSError:
            return b""
    raise AssertionError("everything was taken")


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


def test_a_head_that_trickles_is_answered_and_closed(serving):
    assert status_of(trickle(serving.connect(b"GET / HTTP/1.1\r\nX: "), b"a")) == 408
    assert serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("content", [b"", b"\r\n", b"G"], ids=["nothing", "a line break", "a letter"])
def test_a_connection_that_asks_nothing_is_closed(serving, content):
    rest_of(serving.connect(content))
    wait_for(lambda: serving.open_connections() == 0, "nothing is left")


def test_line_breaks_between_two_requests_do_not_keep_a_connection(serving):
    connection = serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.recv(65_536)
    trickle(connection, b"\r\n")


@pytest.mark.parametrize("length", [b"Content-Length: 100000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_that_trickles_is_answered_and_closed(serving, length):
    connection = serving.connect(HEAD + length + b"\r\n")
    content = b"1\r\na\r\n" if b"chunked" in length else b"a"

    assert status_of(trickle(connection, content)) == 408
    wait_for(lambda: serving.disconnected == 1, "the application hears of it")


def test_a_body_that_is_steady_but_has_no_end_is_closed(serving):
    connection = serving.connect(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    started = time.monotonic()
    answer = b""
    connection.settimeout(0.01)
    while not answer:
        assert time.monotonic() - started < SECONDS
        try:
            connection.sendall(b"64\r\n" + b"a" * 100 + b"\r\n")
            answer = connection.recv(65_536)
        except TimeoutError:
            continue
    assert status_of(answer) == 408


def test_a_large_body_that_comes_slowly_but_steadily_is_taken(serving):
    size = 20_000
    connection = serving.connect(HEAD + b"Content-Length: %d\r\n\r\n" % size)
    for _ in range(size // 500):
        connection.sendall(b"a" * 500)
        time.sleep(0.05)
    assert status_of(connection.recv(65_536)) == 200
    assert serving.received == size


def test_a_client_that_waits_for_leave_to_send_its_body_is_not_hurried(serving):
    head = b"POST /busy HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    connection = serving.connect(head)
    assert status_of(connection.recv(65_536)) == 100
    connection.sendall(b"body")
    assert status_of(connection.recv(65_536)) == 200


def test_a_body_that_the_server_does_not_read_yet_has_no_deadline(serving):
    # More than the server reads ahead, and no more than the kernel holds: it sends on without this thread, which on a
    # busy machine would itself be a slow client.
    size = 150_000
    head = b"POST /busy HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size
    connection = serving.connect(head + b"a" * size)
    assert status_of(connection.recv(65_536)) == 200
    assert serving.received == size


def test_an_answer_without_end_has_no_deadline(serving):
    connection = serving.connect(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
    ends = time.monotonic() + 4 * QUICK.head_seconds
    while time.monotonic() < ends:
        assert connection.recv(65_536)


def test_a_client_that_reads_slowly_gets_everything(serving):
    connection = serving.connect(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    received = 0
    while part := connection.recv(2_000_000):
        received += len(part)
        time.sleep(0.05)
    assert received > 20_000_000


def test_a_client_that_does_not_read_is_cut_off(serving):
    connection = serving.connect(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_for(lambda: serving.open_connections() == 0, "the connection is gone")
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
    connection = serving.connect()
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
        serving.connect(b"GET / HTTP/1.1\r\n")

    answer = serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").recv(65_536)

    assert status_of(answer) == 200
    assert serving.open_connections() <= QUICK.per_peer


def test_a_connection_that_is_answered_does_not_make_room_for_another(serving):
    streams = [serving.connect(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(QUICK.per_peer)]
    for stream in streams:
        assert status_of(stream.recv(65_536)) == 200

    assert status_of(rest_of(serving.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))) == 503
    for stream in streams:
        assert stream.recv(65_536)


def test_the_total_is_bounded_too():
    serving = Serving(replace(QUICK, total=10))
    try:
        for _ in range(30):
            serving.connect(b"GET / HTTP/1.1\r\n")
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
    run = target.launch("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))")
    target.wait_until_ended(run["id"])
    assert str(resource.getrlimit(resource.RLIMIT_NOFILE)) in target.log_of(run["id"])
