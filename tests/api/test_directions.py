"""`/metric-directions`: which way scalars are better, as the user says it."""

import pytest

from api.conftest import problem_of
from support.logs import write_logs


def say(client, tag, better):
    answer = client.patch("/metric-directions", json={"tag": tag, "better": better})
    assert answer.status_code == 200, answer.text
    return answer.json()["directions"]


@pytest.fixture
def two(client, tmp_path):
    """Two runs that differ in one scalar, whose name tells nothing."""
    for name, value in (("near", 1.0), ("far", 5.0)):
        write_logs(tmp_path / name, [value])
    return client.post("/imports", json={"path": str(tmp_path)}).json()["runs"]


def compared(client, runs, tag):
    answer = client.get("/compare", params={"runs": ",".join(map(str, runs))}).json()
    return next(row for row in answer["metrics"]["rows"] if row["tag"] == tag)


def test_what_is_said_marks_the_best_in_json_and_on_the_page_until_it_is_taken_back(client, two):
    row = compared(client, two, "loss")
    assert (row["better"], row["said"], row["best"]) == ("lower", False, 1.0)
    try:
        assert say(client, "loss", "higher") == {"loss": "higher"}
        assert client.get("/metric-directions").json() == {"directions": {"loss": "higher"}}
        row = compared(client, two, "loss")
        assert (row["better"], row["said"], row["best"]) == ("higher", True, 5.0)
        page = client.get("/compare", params={"runs": ",".join(map(str, two))}, headers={"Accept": "text/html"}).text
        assert '<strong>5</strong> <span class="best">best</span>' in page
        say(client, "loss", "neither")
        assert compared(client, two, "loss")["best"] is None
    finally:
        assert say(client, "loss", None) == {}


@pytest.mark.parametrize("body", [{"tag": "a", "better": "sideways"}, {"tag": "", "better": "lower"}, {"tag": "a\0", "better": "lower"},
                                  {"better": "lower"}, {"tag": "a"}, {"tag": "x" * 1025, "better": None}])  # fmt: skip
def test_a_wrong_direction_is_refused_and_nothing_is_kept(client, body):
    problem_of(client.patch("/metric-directions", json=body), 422)
    assert client.get("/metric-directions").json() == {"directions": {}}
