"""TensorBoard's HParams tab has every run's parameters beside its scalars."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from boards.conftest import Deck
from boards.event_logs import write_scalars
from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.session import Session, session_of

PLUGIN = "data/plugin/hparams/"


def board_over(deck: Deck, name: str, sessions: dict[str, Session]) -> str:
    """The address of a board over the working folders of attempts, by their prefixes."""
    folders = {prefix: session.folder / "work" for prefix, session in sessions.items()}
    deck.specs[name] = BoardSpec(f"run-{name}", folders, sessions)
    return f"{deck.url}/runs/{name}/tensorboard/"


def ask(web: httpx.Client, board: str, what: str, **body: Any) -> dict[str, Any]:
    answer = web.post(f"{board}{PLUGIN}{what}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def sessions_of(web: httpx.Client, board: str) -> list[dict[str, Any]]:
    """The rows of the tab's table, with every metric that it knows of."""
    metrics = ask(web, board, "experiment").get("metricInfos", [])
    columns = [{"metric": info["name"]} for info in metrics]
    body = {
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"],
        "colParams": columns,
    }
    groups = ask(web, board, "session_groups", startIndex=0, sliceSize=100, **body).get("sessionGroups", [])
    return [{**session, "hparams": group["hparams"]} for group in groups for session in group["sessions"]]


def metrics_of(session: dict[str, Any]) -> dict[str, float]:
    return {f"{one['name'].get('group', '')}:{one['name']['tag']}": one["value"] for one in session["metricValues"]}


def attempt(folder: Path, **params: Any) -> Session:
    session = session_of(params, folder)
    assert session is not None
    (folder / "work").mkdir(parents=True)
    return session


def test_a_run_shows_its_parameters_and_last_metrics(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    session = attempt(tmp_path, lr=0.5, epochs=3, amp=True, data="mnist", layers=[8, 4], seed=None)
    write_scalars(session.folder / "work" / "runs" / "Nov23", [3.0, 1.25])
    [row] = sessions_of(web, board_over(shared_deck, "params", {"": session}))
    assert row["name"] == "runs/Nov23"
    assert row["hparams"] == {"lr": 0.5, "epochs": 3.0, "amp": True, "data": "mnist", "layers": "[8, 4]"}
    assert metrics_of(row) == {":loss": 1.25}


@pytest.mark.parametrize(
    ("folders", "name"),
    [((".",), ""), ((".", "eval"), ""), (("a", "b"), ""), (("logs", "logs/eval"), "logs"), (("a/x", "a/y"), "a")],
)
def test_the_session_is_named_so_that_all_scalars_are_its_metrics(
    shared_deck: Deck, web: httpx.Client, tmp_path: Path, folders: tuple[str, ...], name: str
) -> None:
    session = attempt(tmp_path, lr=0.5)
    for folder in folders:
        write_scalars(session.folder / "work" / folder, [2.0])
    [row] = sessions_of(web, board_over(shared_deck, tmp_path.name, {"": session}))
    assert row.get("name", "") == name
    assert set(metrics_of(row).values()) == {2.0}
    assert len(row["metricValues"]) == len(folders)


def test_an_end_is_told_as_soon_as_there_is_one(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    session = attempt(tmp_path, lr=0.5)
    write_scalars(session.folder / "work", [2.0])
    (session.folder / "process.json").write_text(json.dumps({"started_at": 1000.5}))
    board = board_over(shared_deck, "ends", {"": session})
    [row] = sessions_of(web, board)
    assert (row["startTimeSecs"], row.get("endTimeSecs", 0)) == (1000.5, 0)
    for code, status in ((0, "STATUS_SUCCESS"), (1, "STATUS_FAILURE"), (None, "STATUS_FAILURE")):
        (session.folder / "exit.json").write_text(json.dumps({"exit_code": code, "finished_at": 2000.5}))
        [row] = sessions_of(web, board)
        assert (row["status"], row["endTimeSecs"]) == (status, 2000.5)


def test_what_a_script_wrote_itself_is_not_doubled(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    own, silent = attempt(tmp_path / "1", lr=0.5), attempt(tmp_path / "2", lr=0.5)
    with SummaryWriter(str(own.folder / "work" / "logs")) as writer:
        writer.add_scalar("loss", 1.0, 0)
        writer.add_hparams({"rate": 0.25}, {"hparam/loss": 1.0})
    write_scalars(silent.folder / "work" / "logs", [2.0])
    rows = sessions_of(web, board_over(shared_deck, "own", {"attempt-1": own, "attempt-2": silent}))
    assert sorted(row["name"].split("/")[0] for row in rows) == ["attempt-1", "attempt-2"]
    [first] = [row for row in rows if row["name"].startswith("attempt-1")]
    assert first["hparams"] == {"rate": 0.25}


def test_a_run_without_parameters_has_no_row(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    assert session_of({}, tmp_path) is None
    write_scalars(tmp_path / "logs", [2.0])
    board = shared_deck.show("without", tmp_path)
    assert not ask(web, board, "experiment").get("hparamInfos")
    assert web.get(board + "data/plugins_listing").json()["hparams"]["enabled"] is False


def test_the_tab_is_there_for_a_run_with_parameters(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    session = attempt(tmp_path, lr=float("nan"))
    write_scalars(session.folder / "work" / "logs", [2.0])
    board = board_over(shared_deck, "with", {"": session})
    assert web.get(board + "data/plugins_listing").json()["hparams"]["enabled"] is True
    [row] = sessions_of(web, board)
    assert row["hparams"] == {"lr": "nan"}
