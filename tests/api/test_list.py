"""GET /runs and GET /runs/N."""

import pytest

from api.conftest import problem_of


@pytest.fixture(scope="module")
def three(cold_deck) -> list[int]:
    """Three runs that have ended, told apart by a tag of their own."""
    runs = [
        cold_deck.launch("pass", name=name, tags=["three"], priority=p) for name, p in (("b", 1), ("c", 2), ("a", 3))
    ]
    return [cold_deck.wait_until_ended(run["id"])["id"] for run in runs]


def listed(client, **params) -> list[int]:
    response = client.get("/runs", params={"q": "tag:three", **params})
    assert response.status_code == 200, response.text
    return [run["id"] for run in response.json()["items"]]


def test_the_newest_come_first(client, three):
    assert listed(client) == three[::-1]


@pytest.mark.parametrize(
    ("sort", "order"),
    [("created", [0, 1, 2]), ("name", [2, 0, 1]), ("-name", [1, 0, 2]), ("-priority", [2, 1, 0]), ("finished", None)],
)
def test_a_list_is_sorted_as_asked(client, three, sort, order):
    found = listed(client, sort=sort)
    assert sorted(found) == three
    assert order is None or found == [three[place] for place in order]


def test_a_cursor_goes_on_where_a_page_ended(client, three):
    seen, cursor = [], None
    for _ in range(3):
        page = client.get(
            "/runs", params={"q": "tag:three", "limit": 1, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [run["id"] for run in page["items"]]
        cursor = page["next_cursor"]
        assert page["total"] == 3
    assert (seen, cursor) == (three[::-1], None)


def test_a_status_and_a_filter_go_together(client, three):
    assert listed(client, status="completed") == three[::-1]
    assert listed(client, status="failed") == []
    assert listed(client, q="tag:three name:a", status="completed") == [three[2]]
    assert client.get("/runs", params={"q": "a\\", "status": "completed"}).status_code in (200, 422)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"q": 'name:"open'}, "q"),
        ({"q": "nmae:x"}, "q"),
        ({"q": "status:done"}, "q"),
        ({"q": "x" * 1001}, "q"),
        ({"sort": "nmae"}, "sort"),
        ({"sort": "id; DROP TABLE run"}, "sort"),
        ({"cursor": "x"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "done"}, "status"),
    ],
)
def test_a_list_that_cannot_be_had_says_which_field_is_wrong(client, params, field):
    content = problem_of(client.get("/runs", params=params), 422)

    assert [error["field"] for error in content["errors"]] == [field]
    assert field in content["detail"]


def test_a_filter_that_is_not_finished_is_marked_at_its_character(client):
    content = problem_of(client.get("/runs", params={"q": "mnist metrics.Loss/train<"}), 422)
    assert "at character 25: metrics.Loss/train< is not finished" in content["detail"]

    page = client.get("/runs", params={"q": "status:", "status": "failed"}, headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert 'data-position="7"' in page.text
    assert "status<mark>:</mark>" in page.text


def test_a_cursor_of_another_order_is_refused_or_harmless(client, three):
    page = client.get("/runs", params={"q": "tag:three", "limit": 1, "sort": "name"}).json()
    problem_of(client.get("/runs", params={"sort": "-finished", "cursor": page["next_cursor"]}), 422)


@pytest.mark.parametrize("run_id", ["999999", str(2**63 - 1)])
@pytest.mark.parametrize("part", ["", "/log", "/scalars", "/files", "/files/a", "/tensorboard/"])
def test_a_run_that_there_is_not_is_not_found(client, run_id, part):
    content = problem_of(client.get(f"/runs/{run_id}{part}"), 404)

    assert content["detail"] == f"There is no run {run_id}. GET /runs lists all runs."


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        ("/runs/999999", "There is no run 999999."),
        ("/compare?runs={run},999999", "There is no run 999999."),
        ("/runs/{run}/files/none.txt", "Run {run} has no such file."),
        ("/runs/{run}/code/none.py", "Run {run} has no such code."),
    ],
)
def test_a_page_says_what_is_missing_and_names_no_request(client, three, address, detail):
    run = client.get("/runs", params={"q": "tag:three", "limit": 1}).json()["items"][0]["id"]
    there, said = address.format(run=run), detail.format(run=run)

    page = client.get(there, headers={"Accept": "text/html"})

    assert page.status_code == 404
    assert f"<bdi>{said}</bdi>" in page.text
    assert 'href="/runs">Go to the runs' in page.text
    assert problem_of(client.get(there), 404)["detail"].startswith(f"{said} GET /runs")


@pytest.mark.parametrize("run_id", ["0", "-1", "x", "1.5", str(2**63), "9" * 5000, "1%00"])
def test_what_is_no_number_of_a_run_is_refused(client, run_id):
    assert client.get(f"/runs/{run_id}").status_code in (404, 422)
