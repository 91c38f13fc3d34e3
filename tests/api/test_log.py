"""GET /runs/N/log: the bytes that the run printed."""

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
     "bytes=" + ",".join(f"{n}-{n}" for n in range(10_000)), "bytes=" + "9" * 1000 + "-", "bytes=0-" + "9" * 1000],
)  # fmt: skip
def test_a_range_that_cannot_be_had_is_refused_at_once_with_the_size(log, asked):
    response = log({"Range": asked})

    assert "10240 bytes" in problem_of(response, 416)["detail"]
    assert response.headers["content-range"] == "bytes */10240"


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
