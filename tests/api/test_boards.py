"""`/boards/`: a TensorBoard over several runs, by their numbers or by a filter."""

from urllib.parse import quote

import pytest

from support.logs import write_logs
from support.waiting import wait_for


@pytest.fixture(scope="module")
def imported(cold_deck, tmp_path_factory):
    """Three runs with event files."""
    top = tmp_path_factory.mktemp("boards")
    for name in ("a", "b", "c"):
        write_logs(top / name, [1.0, 2.0])
    answer = cold_deck.client.post("/imports", json={"path": str(top), "tags": ["boarded"]})
    assert answer.status_code == 200, answer.text
    return answer.json()["runs"]


def names(client, board):
    answer = client.get(f"{board}data/runs")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_list_of_runs_leads_to_a_board_that_names_them(client, imported):
    a, b, _ = imported
    answer = client.get("/boards/", params={"runs": f"{b},{a},{b}"})
    assert (answer.status_code, answer.headers["location"]) == (307, f"/boards/runs-{b},{a}/")
    assert names(client, f"/boards/runs-{b},{a}/") == [f"{b} b", f"{a} a"]
    page = client.get(f"/boards/runs-{b},{a}/")
    assert "tb-relative-root" in page.text
    assert "unsafe-eval" in page.headers["content-security-policy"]


def test_a_filter_shows_what_matches_now(client, imported, tmp_path):
    board = client.get("/boards/", params={"q": "tag:boarded"}).headers["location"]
    assert len(names(client, board)) == 3
    write_logs(tmp_path / "late", [1.0])
    (late,) = client.post("/imports", json={"path": str(tmp_path), "tags": ["boarded"]}).json()["runs"]
    assert names(client, board)[0] == f"{late} late"
    assert client.patch(f"/runs/{late}", json={"name": "../x/\x07\u202ey"}).status_code == 200
    assert f"{late} .._x_y" in names(client, board)
    assert client.delete(f"/runs/{late}").status_code == 204
    assert len(names(client, board)) == 3
    assert client.get(f"{board}data/environment").json()["window_title"].startswith("3 runs")


@pytest.mark.parametrize(
    ("query", "word"),
    [("", "either"), ("runs=1&q=x", "either"), ("runs=1,x", "numbers"), ("runs=", "numbers"), ("q=nofield:1", "field"),
     ("runs=" + ",".join(map(str, range(1, 102))), "at most"), ("logdir=/etc", "logdir")],
)  # fmt: skip
def test_what_is_no_board_is_refused_with_the_reason(client, query, word):
    answer = client.get(f"/boards/?{query}")
    assert answer.status_code == 422
    assert word in answer.json()["detail"]


@pytest.mark.parametrize("board", ["x", "runs", "q-%%%", "q-YQ==", "q-_w", "runs-1@evil", "http:%2f%2fevil", "..%2f.."])
def test_a_path_that_names_no_board_leads_nowhere(client, board):
    answer = client.get(f"/boards/{quote(board, safe='%')}/data/runs")
    assert answer.status_code in (404, 422)


def test_a_board_has_no_websocket_and_takes_posts_of_its_own_pages_only(client, imported):
    board = f"/boards/runs-{imported[0]}/"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert client.get(board, headers=upgrade).status_code == 403
    runs = {"tag": "loss", "runs": f"{imported[0]} a"}
    assert client.post(f"{board}data/plugin/scalars/scalars_multirun", data=runs).json()[runs["runs"]]
    foreign = {"Origin": "http://evil.example"}
    assert client.post(f"{board}data/plugin/scalars/scalars_multirun", data=runs, headers=foreign).status_code == 403


def test_a_board_of_runs_that_are_gone_says_so(client):
    answer = client.get("/boards/runs-999999/data/runs")
    assert answer.status_code == 404
    assert "No run of this board" in answer.json()["detail"]


def test_a_browser_is_given_the_page_around_the_board(client, imported):
    a, b, _ = imported
    page = client.get("/boards/", params={"runs": f"{a},{b}"}, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["vary"]) == (200, "Accept, HX-Request")
    for part in (f'data-src="/boards/runs-{a},{b}/"', f"/compare?runs={a},{b}", "TensorBoard of", "2 runs"):
        assert part in page.text
    of_filter = client.get("/boards/", params={"q": "tag:<b>"}, headers={"Accept": "text/html"})
    assert "tag:&lt;b&gt;" in of_filter.text
    assert "/compare?" not in of_filter.text
    refused = client.get("/boards/?q=nofield:1", headers={"Accept": "text/html"})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "text/html; charset=utf-8")


def test_the_state_of_several_runs_tells_how_many_they_are_and_opens_no_board(client, imported):
    query = {"runs": ",".join(map(str, imported[:2]))}
    before = client.get("/boards/state", params=query).json()
    assert (before["state"], before["runs"], before["count"], before["live"]) == ("closed", 2, "2 runs", False)
    assert len(names(client, client.get("/boards/", params=query).headers["location"])) == 2
    state = wait_for(lambda: reading_done(client, query), "all of it was read")
    assert (state["read_bytes"], state["last_step"]) == (before["disk_bytes"], 1)
    assert client.get("/boards/state", params={"q": "tag:nothing"}).json()["runs"] == 0
    assert client.get("/boards/state", params={"q": "tag:boarded"}).json()["live"]
    assert client.get("/boards/state").status_code == 422
    assert client.head("/boards/state", params=query).status_code == 200


def reading_done(client, query):
    state = client.get("/boards/state", params=query).json()
    return state if state["state"] == "current" else None


RESUMES = """
import os, torch
from torch.utils.tensorboard import SummaryWriter
checkpoint = os.environ.get("TRAINDECK_RESUME_FROM")
first = torch.load(checkpoint)["step"] if checkpoint and HEEDS else 0
writer = SummaryWriter()
for step in range(first, first + 10):
    writer.add_scalar("loss", step + (100 if checkpoint else 0), step)
torch.save({"step": 5}, "last.pt")
writer.close()
"""


@pytest.mark.parametrize("heeds", [True, False])
def test_a_resumed_run_is_one_line_where_its_steps_go_on(shared_deck, heeds):
    run = shared_deck.launch(f"HEEDS = {heeds}\n{RESUMES}")["id"]
    shared_deck.wait_for_status(run, "completed")
    assert shared_deck.client.post(f"/runs/{run}/resume").status_code == 200
    wait_for(lambda: shared_deck.run(run)["attempt"] == 2 and shared_deck.run(run)["status"] == "completed", "resumed")
    expected = [*range(5), *range(105, 115)] if heeds else [*range(100, 110)]

    board = f"/runs/{run}/tensorboard/"
    shown = names(shared_deck.client, board)
    assert len(shown) == (1 if heeds else 2)
    assert all(name.startswith("attempt-") for name in shown) is not heeds
    query = {"run": sorted(shown)[-1], "tag": "loss"}
    points = shared_deck.client.get(f"{board}data/plugin/scalars/scalars", params=query).json()
    assert [value for *_, value in points] == expected

    (series,) = shared_deck.client.get(f"/runs/{run}/scalars", params={"tag": "loss"}).json()["series"]
    assert series["values"] == expected
    more = {"tag": "loss", "since": series["cursor"]}
    assert shared_deck.client.get(f"/runs/{run}/scalars", params=more).json()["series"][0]["steps"] == []
    (alone,) = shared_deck.client.get(f"/runs/{run}/scalars?attempt=1", params={"tag": "loss", "attempt": 1}).json()[
        "series"
    ]
    assert alone["values"] == [*range(10)]
    (thin,) = shared_deck.client.get(f"/runs/{run}/scalars", params={"tag": "loss", "points": 6}).json()["series"]
    assert len(thin["steps"]) <= 6
