"""Runs beside each other: what differs stands first, and what is not known makes no difference."""

import time
from typing import Any

import pytest

from provenance.conftest import recorded
from support.served import ServedDeck
from traindeck.provenance.run_differences import compare_rows, flatten


def compared(deck: ServedDeck, *run_ids: int) -> dict[str, Any]:
    answer = deck.client.get("/compare", params={"runs": ",".join(map(str, run_ids))})
    assert answer.status_code == 200, answer.text
    return answer.json()


def values(rows: dict[str, Any]) -> dict[str, tuple[bool, list[Any]]]:
    """Each row's values by its name, and whether they differ."""
    return {row.get("name") or row["tag"]: (row["differs"], row["values"]) for row in rows["rows"]}


def cancelled(deck: ServedDeck, **body: Any) -> int:
    """A run that has ended before it did anything: what was asked for is all that there is to compare."""
    run = deck.launch(**body)
    deck.client.post(f"/runs/{run['id']}/cancel", json={})
    deck.wait_until_ended(run["id"])
    return run["id"]


def test_parameters_that_differ_come_first_and_numbers_are_told_from_truth() -> None:
    columns = [{"lr": 1, "same": 3, "amp": True, "only": "x"}, {"lr": 1.0, "same": 3, "amp": 1}]
    rows = compare_rows(columns).rows
    assert [(row.name, row.differs) for row in rows] == [("amp", True), ("only", True), ("lr", False), ("same", False)]
    assert rows[1].values == ["x", None]


def test_a_run_of_which_nothing_is_known_makes_no_row_differ() -> None:
    rows = compare_rows([{"torch": "2.15"}, None, {"torch": "2.15"}]).rows
    assert (rows[0].values, rows[0].differs) == (["2.15", None, "2.15"], False)
    assert compare_rows([None, None]).rows == []


def test_rows_are_bounded_and_equal_ones_counted() -> None:
    columns = [{f"p{number}": number for number in range(5000)}, {f"p{number}": 0 for number in range(5000)}]
    compared = compare_rows(columns, equal=False)
    assert (len(compared.rows), compared.more, compared.equal_left_out) == (2000, 2999, 1)


def test_nested_parameters_have_whole_names() -> None:
    assert flatten({"a": {"b": {"c": 1}}, "d": {}, "e": [1]}) == {"a.b.c": 1, "d": {}, "e": [1]}


def test_two_runs_of_a_trainer_differ_in_their_parameters_and_resources(cold: ServedDeck) -> None:
    first = cancelled(cold, trainer="mnist", params={"lr": 0.1, "epochs": 2}, name="one", tags=["a"])
    second = cancelled(cold, trainer="mnist", params={"lr": 0.2, "epochs": 2}, resources={"cpus": 2})
    seen = compared(cold, second, first)

    assert [run["id"] for run in seen["runs"]] == [second, first]
    assert (seen["runs"][1]["name"], seen["runs"][1]["program"], seen["runs"][1]["tags"]) == ("one", "mnist", ["a"])
    params = values(seen["params"])
    assert params["lr"] == (True, [0.2, 0.1])
    assert params["epochs"] == (False, [2, 2])
    assert seen["params"]["rows"][0]["name"] == "lr"
    assert values(seen["resources"])["cpus"] == (True, [2, 1])
    assert seen["code"] == []


def test_two_runs_of_a_script_differ_in_arguments_code_environment_and_scalars(cold: ServedDeck) -> None:
    source = (
        "from torch.utils.tensorboard import SummaryWriter as W\nw = W()\nw.add_scalar('Loss', {loss}, 7)\nw.close()\n"
    )
    scripts = [{"source": source.format(loss=loss), "filename": "t.py", "args": [str(loss)]} for loss in (0.5, 0.25)]
    runs = [cold.launch(script=one, env={"SEED": one["args"][0], "API_KEY": "k"})["id"] for one in scripts]
    for run_id in runs:
        cold.wait_for_status(run_id, "completed")
        recorded(cold, run_id)
    seen = compared(cold, *runs)

    assert values(seen["script"])["arguments"] == (True, ["0.5", "0.25"])
    assert values(seen["script"])["kind"] == (False, ["source", "source"])
    assert values(seen["environment"])["SEED"] == (True, ["0.5", "0.25"])
    assert "API_KEY" not in values(seen["environment"])
    assert seen["environment"]["equal_left_out"] > 3
    assert (seen["packages"]["rows"], seen["packages"]["equal_left_out"] > 50) == ([], True)
    assert values(seen["host"])["host"][0] is False
    differs, (first, second) = values(seen["metrics"])["Loss"]
    assert (differs, first["last"], second["last"], second["step"]) == (True, 0.5, 0.25, 7)
    (code,) = seen["code"]
    assert (code["run"], code["against"], code["same"]) == (runs[1], runs[0], False)
    (file,) = code["files"]
    assert (file["path"], file["status"]) == ("t.py", "changed")
    assert "-w.add_scalar('Loss', 0.5, 7)\n+w.add_scalar('Loss', 0.25, 7)\n" in file["diff"]


def test_runs_without_records_or_files_are_compared_by_what_there_is(cold: ServedDeck) -> None:
    runs = [cancelled(cold, source="pass"), cancelled(cold, trainer="mnist")]
    seen = compared(cold, *runs)
    assert [code["same"] for code in seen["code"]] == [None]
    assert seen["packages"]["rows"] == []


def test_eight_runs_of_a_thousand_parameters_are_compared_soon(cold: ServedDeck) -> None:
    """The bound is not one of speed: a comparison that grows with the square of its rows would take minutes."""
    columns = [{f"name-{number}": number * run for number in range(1000)} for run in range(8)]
    began = time.process_time()
    assert len(compare_rows(columns).rows) == 1000
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("runs", "status", "message"),
    [
        ("1", 422, "names 1 run, but 2 to 8 different ones"),
        ("", 422, "names 0 runs"),
        ("1,1", 422, "names 1 run"),
        ("1,2,3,4,5,6,7,8,9", 422, "names 9 runs"),
        ("1,x", 422, "must be numbers of runs such as 41,42"),
        ("1,0", 422, "must be numbers of runs"),
        ("1,٣", 422, "must be numbers of runs"),
        ("1,99999999999999999999", 422, "must be numbers of runs"),
        ("999998,999999", 404, "There is no run 999998"),
    ],
)
def test_a_list_that_cannot_be_compared_is_refused(cold: ServedDeck, runs: str, status: int, message: str) -> None:
    answer = cold.client.get("/compare", params={"runs": runs})
    assert (answer.status_code, message in answer.json()["detail"]) == (status, True), answer.text


def test_a_browser_gets_a_page(cold: ServedDeck) -> None:
    runs = [cancelled(cold, source="pass", name=f"<b>{name}") for name in "ab"]
    answer = cold.client.get(f"/compare?runs={runs[0]},{runs[1]}", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "&lt;b&gt;a" in answer.text
    assert "<b>a" not in answer.text
