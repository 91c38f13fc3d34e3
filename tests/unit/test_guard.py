"""What the guard takes for a host, an origin and JSON."""

import asyncio

import pytest

from traindeck.api.guard import HEADERS, MAX_BODY_BYTES, Guard, Refused, _check


def scope(method: str = "GET", path: str = "/runs", **headers: str | list[str]) -> dict:
    lines = {"host": "127.0.0.1:8000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    pairs = [
        (name.encode(), one.encode("latin-1"))
        for name, value in lines.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return {"type": "http", "method": method, "path": path, "headers": pairs}


def status(**request) -> int | None:
    try:
        _check(scope(**request))
    except Refused as refused:
        return refused.status
    return None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "localhost:1", "[::1]", "[::1]:8000"])
def test_a_loopback_host_is_let_in(host):
    assert status(host=host) is None


@pytest.mark.parametrize(
    "host",
    ["", "evil.com", "localhost.evil.com", "localhost.", "127.0.0.1.", "127.0.0.1.nip.io", "a#b", "x/login?", "::1",
     "localhost:", "localhost:8000:1", "localhost:99999999", "user@localhost", "localhost@evil.com", "127.0.0.1#@a.b",
     " localhost", "localhost ", "localhost\n", "127.1", "2130706433", "0.0.0.0", "[::]", "localhost%00",
     ["localhost", "localhost"], ["localhost", "evil.com"], []],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
def test_any_other_host_is_refused_whatever_the_method(host, method):
    assert status(method=method, host=host) == 400


@pytest.mark.parametrize(
    "origin",
    ["http://evil.com", "null", "", "http://127.0.0.1:8001", "http://127.0.0.1", "http://localhost:8000",
     "http://127.0.0.1:8000.evil.com", "http://127.0.0.1:8000@evil.com", "HTTP://127.0.0.1:8000 ", "file://",
     "http://127.0.0.1:8000/", ["http://127.0.0.1:8000", "http://evil.com"]],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_must_not_come_from_another_origin(origin, method):
    assert status(method=method, origin=origin) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "unknown", ["same-origin", "cross-site"]])
def test_what_changes_something_must_not_come_from_another_site(site):
    assert status(method="POST", sec_fetch_site=site) == 403


@pytest.mark.parametrize("headers", [{}, {"origin": "http://127.0.0.1:8000"}, {"sec_fetch_site": "same-origin"}])
def test_our_own_pages_and_programs_may_change_things(headers):
    assert status(method="POST", **headers) is None


def test_a_foreign_origin_may_read_nothing_but_is_not_refused_either():
    assert status(origin="http://evil.com", sec_fetch_site="cross-site") is None


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json",
     "application/json-patch+json", "text/plain; application/json", "application/jsonx",
     ["text/plain", "application/json"], ["application/json", "text/plain"], []],
)  # fmt: skip
def test_a_body_that_is_not_said_to_be_json_is_refused(content_type):
    assert status(method="POST", path="/runs/1/cancel", content_type=content_type, content_length="2") == 415


@pytest.mark.parametrize("path", ["/runs", "/uploads"])
def test_files_are_let_in_where_files_are_taken_and_nothing_else_that_is_no_json(path):
    assert status(method="POST", path=path, content_type="multipart/form-data; boundary=x", content_length="2") is None
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/mixed", "", []):
        assert status(method="POST", path=path, content_type=content_type, content_length="2") == 415


def test_files_of_a_page_of_another_site_are_not_let_in():
    refused = status(method="POST", content_type="multipart/form-data; boundary=x", origin="http://evil.com")
    assert refused == 403


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_let_in(content_type):
    assert status(method="POST", content_type=content_type, content_length="2") is None


def test_a_chunked_body_needs_a_type_too():
    assert status(method="POST", transfer_encoding="chunked") == 415


def test_a_request_without_a_body_needs_no_type():
    assert status(method="POST") is None
    assert status(method="POST", content_length="0") is None


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "9" * 19, "9" * 5000])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(length):
    assert status(method="POST", content_type="application/json", content_length=length) == 413


def test_a_length_that_only_looks_like_a_number_is_no_error_here():
    assert status(method="POST", content_type="application/json", content_length="²") is None


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket", "h2c, websocket"])
def test_a_websocket_is_refused_where_the_server_would_take_it_for_a_request(upgrade):
    assert status(path="/runs/1/tensorboard/", upgrade=upgrade) == 403


def test_tensorboard_may_be_sent_its_own_forms_but_not_from_elsewhere():
    board = {"method": "POST", "path": "/runs/1/tensorboard/data/x", "content_length": "2"}
    assert status(**board, content_type="multipart/form-data") is None
    assert status(**board, content_type="multipart/form-data", origin="http://evil.com") == 403


def test_a_request_that_is_cut_off_by_the_end_of_the_server_is_told_so():
    messages = []

    async def hang(scope, receive, send):
        await asyncio.Event().wait()

    async def send(message):
        messages.append(message)

    async def test():
        answer = asyncio.create_task(Guard(hang)(scope(), asyncio.Event().wait, send))
        await asyncio.sleep(0)
        answer.cancel()
        await asyncio.wait([answer])
        assert answer.cancelled()

    asyncio.run(test())
    assert messages[0]["status"] == 503
    assert set(HEADERS) <= set(messages[0]["headers"])
