"""Who gets in: Host, Origin, Content-Type, and requests that are none, against a deck that is served."""

import socket

import httpx
import pytest

from api.conftest import PROBLEM, exchange, status_of

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PATHS = ["/runs", "/runs/1", "/events", "/openapi.json", "/static/x", "/runs/1/tensorboard/", "/none", "/healthz"]


def raw(deck, method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    request = f"{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode("latin-1")
    return exchange(deck, request + body)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_a_foreign_host_gets_nothing_whatever_it_asks_for(cold_deck, method, path):
    answer = raw(cold_deck, method, path, "Host: evil.com")

    assert status_of(answer) == 400
    assert PROBLEM.encode() in answer
    assert b"content-security-policy" in answer.lower()


@pytest.mark.parametrize(
    "host", ["localhost.evil.com", "localhost.", "a#b", "x/login?", "localhost@evil.com", "127.0.0.1:80:80", ""]
)
def test_a_host_that_only_looks_like_ours_is_refused(cold_deck, host):
    assert status_of(raw(cold_deck, "GET", "/runs", f"Host: {host}")) == 400


def test_two_hosts_or_none_are_refused(cold_deck):
    assert status_of(raw(cold_deck, "GET", "/runs", "Host: localhost", "Host: evil.com")) == 400
    assert status_of(raw(cold_deck, "GET", "/runs", "Host: evil.com", "Host: localhost")) == 400
    assert status_of(raw(cold_deck, "GET", "/runs")) == 400


def test_a_host_in_the_request_line_does_not_stand_in_for_the_header(cold_deck):
    assert status_of(raw(cold_deck, "GET", "http://localhost/runs", "Host: evil.com")) == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "header",
    ["Origin: http://evil.com", "Origin: null", "Origin: http://localhost:1", "Origin: http://localhost.evil.com",
     "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"],
)  # fmt: skip
def test_what_changes_something_is_refused_to_another_site(cold_deck, written, method, header):
    before = cold_deck.run(written)

    answer = raw(cold_deck, method, f"/runs/{written}", "Host: localhost", header, "Content-Length: 0")

    assert status_of(answer) == 403
    assert cold_deck.run(written) == before


def test_our_own_page_may_change_things(cold_deck, client, written):
    origin = {"Origin": cold_deck.url, "Sec-Fetch-Site": "same-origin"}
    assert client.patch(f"/runs/{written}", json={}, headers=origin).status_code == 200


@pytest.mark.parametrize("path", ["/runs/1/tensorboard/", "/runs/1/tensorboard/data/x", "/events", "/runs"])
def test_a_websocket_is_refused(cold_deck, written, path):
    handshake = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    request += "".join(f"{line}\r\n" for line in handshake) + "\r\n"

    assert status_of(exchange(cold_deck, request.encode())) == 403


POST = "POST /runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "rest",
    [
        "Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "Content-Length: -1\r\n\r\n{}",
        "Content-Length: 1e3\r\n\r\n{}",
        "Content-Length: +2\r\n\r\n{}",
        "No Colon Here\r\n\r\n",
        "X: a\0b\r\n\r\n",
    ],
)
def test_a_request_whose_end_cannot_be_told_is_refused_and_closed(cold_deck, rest):
    url = httpx.URL(cold_deck.url)
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        connection.sendall((POST + rest).encode())
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_body_that_stops_in_its_middle_makes_no_run(cold_deck, client):
    before = client.get("/runs").json()["total"]
    url = httpx.URL(cold_deck.url)
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(f'{POST}Content-Length: 100\r\n\r\n{{"script": '.encode())
    assert client.get("/runs").json()["total"] == before


def test_a_page_answers_beside_five_hundred_connections_that_trickle(cold_deck, client):
    url = httpx.URL(cold_deck.url)
    connections = [socket.create_connection((url.host, url.port)) for _ in range(500)]
    try:
        for connection in connections:
            connection.sendall(b"GET /runs HTTP/1.1\r\nHost: loc")
        assert client.get("/healthz").status_code == 200
        assert httpx.get(f"{cold_deck.url}/runs", trust_env=False).status_code == 200
    finally:
        for connection in connections:
            connection.close()


READS = ["/", "/runs", "/runs/{run}", "/runs/{run}/log", "/runs/{run}/scalars?tag=a", "/runs/{run}/files", "/launch",
         "/trainers", "/healthz", "/openapi.json"]  # fmt: skip


def test_reading_changes_nothing(cold_deck, client, written):
    before = cold_deck.run(written), client.get("/runs").json()["total"]

    for path in READS:
        for accept in ("text/html", "application/json"):
            headers = {"Accept": accept, "Origin": "http://evil.com", "Sec-Fetch-Site": "cross-site"}
            assert client.get(path.format(run=written), headers=headers).status_code in (200, 307)

    assert (cold_deck.run(written), client.get("/runs").json()["total"]) == before
