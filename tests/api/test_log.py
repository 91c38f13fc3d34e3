"""GET /runs/N/log: the bytes that the run printed."""

import contextlib
import json

import httpx
import pytest

from api.conftest import problem_of
from support.waiting import wait_for

WHOLE = bytes(range(256)) * 40


@pytest.fixture
def log(client, written):
    def read(headers=None, **params):
        return client.get(f"/runs/{written}/log", params=params, headers=headers or {})

    return read


def test_the_whole_log_comes_byte_for_byte(log):
    response = log()

    assert response.content == WHOLE
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("params", "start", "end"),
    [
        ({"offset": 0}, 0, 10_240),
        ({"offset": 100}, 100, 10_240),
        ({"offset": 100, "limit": 50}, 100, 150),
        ({"limit": 7}, 0, 7),
        ({"limit": 0}, 0, 0),
        ({"offset": 10_240}, 10_240, 10_240),
        ({"offset": 99_999_999}, 10_240, 10_240),
        ({"offset": 10_000, "limit": 2**62}, 10_000, 10_240),
    ],
)
def test_a_part_comes_by_offset_and_says_where_to_go_on(log, params, start, end):
    response = log(**params)

    assert response.status_code == 200
    assert response.content == WHOLE[start:end]
    assert response.headers["traindeck-log-size"] == "10240"
    assert response.headers["traindeck-next-offset"] == str(end)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=10000-", 10_000, 10_240), ("bytes=-5", 10_235, 10_240),
     ("bytes=-99999", 0, 10_240), ("bytes=10200-99999", 10_200, 10_240)],
)  # fmt: skip
def test_a_range_comes_as_such(log, asked, start, end):
    response = log({"Range": asked})

    assert response.status_code == 206
    assert response.content == WHOLE[start:end]
    assert response.headers["content-range"] == f"bytes {start}-{end - 1}/10240"
    assert response.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    "asked",
    ["bytes=10240-", "bytes=99999-100000", "bytes=5-4", "bytes=-0", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,2-3",
     "bytes=" + ",".join(f"{n}-{n}" for n in range(1000)), "bytes=" + "9" * 1000 + "-", "bytes=0-" + "9" * 1000],
)  # fmt: skip
def test_a_range_that_cannot_be_had_is_refused_at_once_with_the_size(log, asked):
    response = log({"Range": asked})

    assert "10,240 bytes" in problem_of(response, 416)["detail"]
    assert response.headers["content-range"] == "bytes */10240"


def test_ten_thousand_ranges_are_more_than_a_header_may_have(log):
    problem_of(log({"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(10_000))}), 431)


def test_a_range_in_other_units_is_ignored(log):
    assert log({"Range": "lines=0-5"}).content == WHOLE


@pytest.mark.parametrize("params", [{"offset": -1}, {"limit": -1}, {"offset": "x"}, {"attempt": 0}, {"attempt": 2}])
def test_a_part_that_there_is_not_is_refused_with_its_field(log, params):
    content = problem_of(log(**params), 422)
    assert [error["field"] for error in content["errors"]] == list(params)


def test_an_attempt_that_there_was_not_is_named(client, written):
    for part in ("log", "files", "scalars"):
        content = problem_of(client.get(f"/runs/{written}/{part}", params={"attempt": 2}), 422)
        assert content["detail"] == f"attempt is 2, but run {written} has had 1 attempt"


def test_a_queued_run_has_an_empty_log(client, queued):
    response = client.get(f"/runs/{queued()['id']}/log")

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["traindeck-next-offset"] == "0"


GROWS = """
import pathlib, sys
for number in range(200):
    sys.stdout.write(f"{number:05d} " + "x" * 1000 + "\\n")
    sys.stdout.flush()
while not pathlib.Path(sys.argv[1]).exists():
    sys.stdout.write("more\\r")
    sys.stdout.flush()
"""


def test_a_log_that_grows_while_it_is_read_is_read_without_a_gap(cold_deck, client, tmp_path):
    gate = tmp_path / "gate"
    run_id = cold_deck.launch(script={"source": GROWS, "filename": "grows.py", "args": [str(gate)]})["id"]
    read, offset = b"", 0
    while len(read) < 400_000:
        response = client.get(f"/runs/{run_id}/log", params={"offset": offset, "limit": 30_000})
        read += response.content
        offset = int(response.headers["traindeck-next-offset"])
        assert offset == len(read)
    while_running = client.get(f"/runs/{run_id}/log")
    assert len(while_running.content) == int(while_running.headers["content-length"])
    gate.touch()
    cold_deck.wait_until_ended(run_id)

    whole = client.get(f"/runs/{run_id}/log").content
    assert whole.startswith(read)
    assert whole.startswith(while_running.content)
    wait_for(lambda: cold_deck.run(run_id)["log_size"] == len(whole), "the list has the size too")


def test_ten_megabytes_without_a_newline_come_whole(cold_deck, client):
    run_id = cold_deck.launch("import sys\nfor _ in range(160): sys.stdout.buffer.write(b'\\xc3\\xbc' * 32768)")["id"]
    cold_deck.wait_until_ended(run_id)

    assert client.get(f"/runs/{run_id}/log").content == "ü".encode() * 32768 * 160
    assert client.get(f"/runs/{run_id}/log", params={"offset": 1, "limit": 2}).content == b"\xbc\xc3"


@pytest.fixture(scope="session")
def searched(cold_deck):
    """A run whose log has 200 lines of text, a bar and colors."""
    source = r"""
for number in range(200):
    print(f"line {number}: loss \033[1m{number % 7}\033[0m")
print("\r".join(f"{share}% of it" for share in range(101)))
"""
    run = cold_deck.launch(source, name="searched")
    cold_deck.wait_until_ended(run["id"])
    return run["id"]


@pytest.fixture
def search(client, searched):
    def read(**params):
        response = client.get(f"/runs/{searched}/log/search", params=params)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/x-ndjson"
        *matches, last = [json.loads(line) for line in response.text.splitlines()]
        return [match for match in matches if "offset" in match], last

    return read


def test_a_search_tells_each_line_that_shows_the_text_and_the_bytes_it_takes(search, client, searched):
    matches, last = search(q="LOSS 3")
    whole = client.get(f"/runs/{searched}/log").content

    assert [match["text"] for match in matches] == [f"line {number}: loss 3" for number in range(3, 200, 7)]
    assert {whole[match["offset"] : match["end"]] for match in matches} == {b"loss \x1b[1m3"}
    assert last == {"searched": len(whole), "next": None, "size": len(whole)}
    assert [match["text"] for match in search(q="% of it")[0]] == ["100% of it"]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_search_goes_on_where_it_was_left(search, backwards):
    texts, asked = [], {"q": "loss 3", "limit": 4, "backwards": backwards}
    while True:
        matches, last = search(**asked)
        assert len(matches) <= 4
        texts += [match["text"] for match in matches]
        if last["next"] is None:
            break
        asked["until" if backwards else "offset"] = last["next"]
    expected = [f"line {number}: loss 3" for number in range(3, 200, 7)]
    assert texts == (expected[::-1] if backwards else expected)


@pytest.mark.parametrize(
    ("params", "field"),
    [({}, "q"), ({"q": ""}, "q"), ({"q": "a\nb"}, "q"), ({"q": "x" * 1001}, "q"), ({"q": "x", "limit": 0}, "limit"),
     ({"q": "x", "limit": 1001}, "limit"), ({"q": "x", "offset": -1}, "offset"), ({"q": "x", "attempt": 2}, "attempt"),
     ({"q": "x", "until": 2**63}, "until"), ({"q": "x", "regex": 1}, "regex")],
)  # fmt: skip
def test_a_search_that_cannot_be_made_is_refused_with_its_field(client, searched, params, field):
    content = problem_of(client.get(f"/runs/{searched}/log/search", params=params), 422)
    assert [error["field"] for error in content["errors"]] == [field]


def test_there_is_nothing_to_search_before_a_run_has_begun_and_nowhere_without_a_run(client, queued):
    answer = client.get(f"/runs/{queued()['id']}/log/search", params={"q": "x"})
    assert json.loads(answer.text) == {"searched": 0, "next": None, "size": 0}
    problem_of(client.get("/runs/999999/log/search", params={"q": "x"}), 404)


def test_searches_that_nobody_reads_hold_up_no_other_request_and_end_with_their_clients(cold_deck, client):
    log = "import sys\nfor _ in range(100): sys.stdout.write('\\x1b[m\\n' * 50_000)"
    run_id = cold_deck.launch(log)["id"]
    cold_deck.wait_until_ended(run_id)
    address = f"{cold_deck.url}/runs/{run_id}/log/search?q=%5Bm"
    with contextlib.ExitStack() as clients:
        # Each would take its 20 seconds: every line has to be looked at, and none shows the text.
        for _ in range(8):
            web = clients.enter_context(httpx.Client(trust_env=False, timeout=60))
            assert clients.enter_context(web.stream("GET", address)).status_code == 200
        refused = wait_for(
            lambda: not (answer := client.get(f"{address}x")).is_success and answer, "none is taken any more"
        )
        assert "8 searches" in problem_of(refused, 503)["detail"]
        assert client.get(f"/runs/{run_id}").status_code == 200
        assert client.get(f"/runs/{run_id}/log", params={"limit": 5}).content == b"\x1b[m\n\x1b"
    wait_for(lambda: client.get(f"{address}x").status_code == 200, "their places are free")
