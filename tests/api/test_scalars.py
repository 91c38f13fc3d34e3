"""GET /runs/N/scalars: points of series."""

import math
import shutil

import pytest

from api.conftest import home_of, problem_of, script_that_writes
from events.eventfiles import NAME, scalar, version
from support.waiting import wait_for

COUNT = 5000


@pytest.fixture(scope="module")
def trained(cold_deck) -> int:
    """A run with a long series, one with holes, and one whose name is awkward."""
    records = [version()]
    records += [scalar("Loss/train", step, 1 / (step + 1)) for step in range(COUNT)]
    values = [1.0, math.nan, math.inf, -math.inf, 2.0]
    records += [scalar("odd", step, value) for step, value in enumerate(values)]
    records += [scalar("<b>a,b</b> \u202e", 1, 0.5)]
    run_id = cold_deck.launch(script_that_writes({f"runs/{NAME}": b"".join(records)}))["id"]
    cold_deck.wait_until_ended(run_id)
    wait_for(lambda: len(tags(cold_deck.client, run_id)) == 3, "all series are there")
    return run_id


def read(client, run_id: int, **params) -> dict:
    response = client.get(f"/runs/{run_id}/scalars", params=params)
    assert response.status_code == 200, response.text
    return response.json()


def tags(client, run_id: int) -> list[str]:
    return read(client, run_id)["tags"]


def test_names_come_alone_where_no_series_is_asked_for(client, trained):
    assert read(client, trained)["series"] == []
    assert tags(client, trained) == ["<b>a,b</b> \u202e", "Loss/train", "odd"]


def test_names_that_a_client_has_do_not_come_again(client, trained):
    assert read(client, trained, known=3)["tags"] is None
    assert read(client, trained, tag="odd", known=2)["tags"] == tags(client, trained)


def test_a_long_answer_is_compressed_for_those_who_take_it(client, trained):
    address, params = f"/runs/{trained}/scalars", {"tag": "Loss/train"}
    plain = client.get(address, params=params, headers={"Accept-Encoding": "identity"})
    compressed = client.get(address, params=params, headers={"Accept-Encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert compressed.headers["content-encoding"] == "gzip"
    assert compressed.json() == plain.json()
    assert int(compressed.headers["content-length"]) < len(plain.content) / 2
    short = client.get(address, params={"tag": "odd"}, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in short.headers


def test_a_whole_series_comes_in_order(client, trained):
    (series,) = read(client, trained, tag="Loss/train", points=20_000)["series"]

    assert series["steps"] == list(range(COUNT))
    assert series["values"][:2] == [1.0, 0.5]
    assert (series["total"], series["start"], len(series["wall_times"])) == (COUNT, 0, COUNT)


@pytest.mark.parametrize("points", [2, 10, 1000])
def test_a_long_series_is_thinned_and_keeps_its_ends(client, trained, points):
    (series,) = read(client, trained, tag="Loss/train", points=points)["series"]

    assert len(series["steps"]) <= points
    assert (series["steps"][0], series["steps"][-1]) == (0, COUNT - 1)
    assert series["total"] == COUNT


def test_what_json_has_no_number_for_is_null(client, trained):
    (series,) = read(client, trained, tag="odd")["series"]

    assert series["values"] == [1.0, None, None, None, 2.0]
    assert client.get(f"/runs/{trained}").json()["metrics"]["odd"]["last"] == 2.0


def test_several_series_come_in_the_order_in_which_they_were_asked_for(client, trained):
    asked = ["odd", "Loss/train", "odd"]
    assert [series["tag"] for series in read(client, trained, tag=asked)["series"]] == asked


def test_a_series_that_there_is_not_has_no_points(client, trained):
    (series,) = read(client, trained, tag="nothing")["series"]
    assert (series["steps"], series["total"]) == ([], 0)


def test_a_cursor_gives_only_what_came_after_it(client, trained):
    (series,) = read(client, trained, tag="odd")["series"]

    (rest,) = read(client, trained, tag="odd", since=series["cursor"])["series"]
    assert (rest["steps"], rest["start"], rest["cursor"]) == ([], 5, series["cursor"])
    (part,) = read(client, trained, tag="odd", since=3)["series"]
    assert (part["steps"], part["start"]) == ([3, 4], 3)


@pytest.mark.parametrize("since", ["x", "1,2", "", "1.5", "9" * 4500, "1,"])
def test_cursors_that_do_not_go_with_the_tags_are_refused(client, trained, since):
    response = client.get(f"/runs/{trained}/scalars", params={"tag": "odd", "since": since})
    if since == "1,":
        assert response.status_code == 200
    else:
        assert problem_of(response, 422)["errors"][0]["field"] == "since"


@pytest.mark.parametrize("since", [-1, 999, 2**40, 2**62, 10**30])
def test_a_cursor_that_is_not_of_this_series_begins_at_its_start(client, trained, since):
    (series,) = read(client, trained, tag="odd", since=since)["series"]
    assert series["start"] == 0


@pytest.mark.parametrize("params", [{"points": 1}, {"points": 20_001}, {"tag": ["a"] * 101}, {"attempt": 0}])
def test_too_much_or_too_little_is_refused_with_its_field(client, trained, params):
    content = problem_of(client.get(f"/runs/{trained}/scalars", params=params), 422)
    assert content["errors"][0]["field"] in params


def test_a_store_that_was_deleted_is_made_again_from_the_event_files(cold_deck, client, trained):
    store = home_of(cold_deck, trained) / "attempt-1" / "scalars"
    before = read(client, trained, tag=["odd", "Loss/train"], points=50)["series"]
    shutil.rmtree(store)

    after = read(client, trained, tag=["odd", "Loss/train"], points=50)["series"]

    assert [one["steps"] for one in after] == [one["steps"] for one in before]
    assert store.is_dir()


def test_a_run_that_has_measured_nothing_has_no_series(client, written, queued):
    assert read(client, written) == {"series": [], "tags": [], "problems": []}
    assert read(client, queued()["id"], tag="a")["series"][0]["total"] == 0


def test_a_new_attempt_begins_without_the_numbers_of_the_one_before(cold_deck, client, tmp_path):
    flag = tmp_path / "second"
    measures = script_that_writes({f"runs/{NAME}": version() + scalar("loss", 1, 0.5)})
    source = f"import os\nif not os.path.exists({str(flag)!r}):\n" + "\n".join(
        f"    {line}" for line in measures.split("\n")
    )
    run_id = cold_deck.launch(source)["id"]
    cold_deck.wait_until_ended(run_id)
    wait_for(lambda: cold_deck.run(run_id)["metrics"], "the first attempt has measured")
    flag.touch()

    client.post(f"/runs/{run_id}/retry")
    wait_for(lambda: cold_deck.run(run_id)["attempt"] == 2, "the second attempt has begun")
    cold_deck.wait_until_ended(run_id)

    assert cold_deck.run(run_id)["metrics"] == {}
    assert tags(client, run_id) == []
    assert read(client, run_id, attempt=1)["tags"] == ["loss"]
