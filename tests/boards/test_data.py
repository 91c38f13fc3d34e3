"""A board shows what the event files hold, under the right names, and nothing from elsewhere."""

from pathlib import Path

import httpx
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from boards.conftest import Deck
from boards.event_logs import write_scalars
from boards.waiting import wait_until

SCALARS = "data/plugin/scalars/scalars"


def shown(web: httpx.Client, board: str, run: str, tag: str = "loss") -> list[list[float]]:
    """The points of a scalar as the page gets them: wall time, step, value."""
    answer = web.get(board + SCALARS, params={"run": run, "tag": tag})
    assert answer.status_code == 200, answer.text
    points: list[list[float]] = answer.json()
    return points


def test_the_points_are_those_of_tensorboards_own_reader(
    shared_deck: Deck, web: httpx.Client, every_kind: Path
) -> None:
    board = shared_deck.show("points", every_kind)
    accumulator = EventAccumulator(str(every_kind / "logs"))
    accumulator.Reload()
    tags = accumulator.Tags()["scalars"]
    assert {"loss/train", "loss/test"} <= set(tags)
    for tag in tags:
        expected = [[point.wall_time, point.step, point.value] for point in accumulator.Scalars(tag)]
        assert shown(web, board, "logs", tag) == expected


def test_the_first_answer_has_the_data_already(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    write_scalars(tmp_path / "runs" / "Nov23", [1.0])
    board = shared_deck.show("first", tmp_path)
    assert web.get(board + "data/runs").json() == ["runs/Nov23"]


def test_attempts_and_runs_stand_below_their_prefixes(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    write_scalars(tmp_path / "1", [1.0])
    write_scalars(tmp_path / "2" / "logs", [2.0])
    board = shared_deck.show("several", {"otter/attempt-1": tmp_path / "1", "otter/attempt-2": tmp_path / "2"})
    assert set(web.get(board + "data/runs").json()) == {"otter/attempt-1", "otter/attempt-2/logs"}
    assert [point[2] for point in shown(web, board, "otter/attempt-2/logs")] == [2.0]


def test_two_boards_do_not_mix(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    boards = []
    for index in range(2):
        write_scalars(tmp_path / str(index) / "logs", [float(index)])
        boards.append(shared_deck.show(f"board-{index}", tmp_path / str(index)))
    for _ in range(2):
        assert [shown(web, board, "logs")[0][2] for board in boards] == [0.0, 1.0]


def test_new_points_and_new_folders_appear(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    board = shared_deck.show("growing", tmp_path)
    assert web.get(board + "data/runs").json() == []
    write_scalars(tmp_path / "logs", [1.0])
    wait_until(lambda: web.get(board + "data/runs").json() == ["logs"])
    write_scalars(tmp_path / "logs" / "later", [2.0])
    wait_until(lambda: web.get(board + "data/runs").json() == ["logs", "logs/later"])


def test_linked_data_sets_are_not_walked(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    write_scalars(tmp_path / "datasets" / "old logs", [9.0])
    write_scalars(tmp_path / "work" / "logs", [1.0])
    (tmp_path / "work" / "data").symlink_to(tmp_path / "datasets")
    board = shared_deck.show("linked", tmp_path / "work")
    assert web.get(board + "data/runs").json() == ["logs"]


def test_a_long_query_is_posted(shared_deck: Deck, web: httpx.Client, every_kind: Path) -> None:
    board = shared_deck.show("posted", every_kind)
    form = {"tag": "loss/train", "runs": ["logs"]}
    answer = web.post(board + "data/plugin/scalars/scalars_multirun", data=form)
    assert [point[1] for point in answer.json()["logs"]] == [0, 1, 2, 3, 4]


def test_every_tab_is_listed_as_having_data(shared_deck: Deck, web: httpx.Client, every_kind: Path) -> None:
    board = shared_deck.show("listing", every_kind)
    listing = web.get(board + "data/plugins_listing").json()
    kinds = "timeseries scalars custom_scalars images audio graphs distributions histograms text pr_curves"
    tabs = [*kinds.split(), "hparams", "mesh", "projector"]
    assert [tab for tab in tabs if not listing[tab]["enabled"]] == []
