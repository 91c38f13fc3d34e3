"""`POST /imports`: folders of event files become runs."""

import math
import os

import pytest

from api.conftest import script_that_writes
from events.eventfiles import NAME, scalar, version, write
from support.logs import write_logs
from traindeck.app import open_deck
from traindeck.events import tail
from traindeck.launches import importing
from traindeck.runs.queries import show_run
from traindeck.settings import Settings


def take_in(client, path, **body):
    answer = client.post("/imports", json={"path": str(path), **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_folder_becomes_a_completed_run_with_its_metrics_times_and_parameters(client, tmp_path):
    write_logs(tmp_path / "runs" / "exp", [3.0, 1.0, 2.0], {"lr": 0.25, "optimizer": "adam", "layers": 3})
    view = take_in(client, tmp_path / "runs", tags=["old", "mnist"])
    assert (view["created"], view["left"], view["problems"]) == (1, 0, [])
    run = client.get(f"/runs/{view['runs'][0]}").json()
    assert (run["name"], run["status"], run["trainer"], run["script"]) == ("exp", "completed", None, None)
    assert run["status_reason"] == f"imported from {tmp_path}/runs/exp"
    assert run["params"] == {"lr": 0.25, "optimizer": "adam", "layers": 3}
    assert run["tags"] == ["mnist", "old"]
    assert run["metrics"]["loss"] == {"last": 2.0, "min": 1.0, "max": 3.0, "step": 2}
    assert run["created_at"] == run["started_at"] <= run["finished_at"]
    found = client.get("/runs", params={"q": "tag:old params.lr=0.25 metrics.loss<=2"}).json()
    assert [one["id"] for one in found["items"]] == view["runs"]
    (series,) = client.get(f"/runs/{run['id']}/scalars", params={"tag": "loss"}).json()["series"]
    assert series["values"] == [3.0, 1.0, 2.0]
    assert client.get(f"/runs/{run['id']}/tensorboard/data/runs").json()[0] == "."


def test_importing_twice_makes_none_twice_and_takes_in_what_is_new(client, tmp_path):
    for name in ("a", "b"):
        write_logs(tmp_path / name, [1.0])
    first = take_in(client, tmp_path)
    assert take_in(client, tmp_path)["unchanged"] == 2
    assert client.patch(f"/runs/{first['runs'][0]}", json={"name": "mine"}).status_code == 200
    write_logs(tmp_path / "a", [5.0])
    again = take_in(client, tmp_path)
    assert sorted(again["runs"]) == sorted(first["runs"])
    assert (again["created"], again["refreshed"], again["unchanged"]) == (0, 1, 1)
    run = client.get(f"/runs/{first['runs'][0]}").json()
    assert (run["name"], run["metrics"]["loss"]["last"]) == ("mine", 5.0)


def test_what_lies_below_a_log_folder_belongs_to_it_and_deeper_ones_are_named_by_their_path(client, tmp_path):
    for folder in ("one", "one/loss_train", "group/two", ".hidden/x"):
        write_logs(tmp_path / folder, [1.0])
    (tmp_path / "link").symlink_to(tmp_path / "group")
    view = take_in(client, tmp_path)
    assert {client.get(f"/runs/{number}").json()["name"] for number in view["runs"]} == {"one", "group/two"}
    named = take_in(client, tmp_path / "one" / "loss_train", name="just this")
    assert client.get(f"/runs/{named['runs'][0]}").json()["name"] == "just this"


def test_deleting_the_run_leaves_the_folder_alone_and_it_can_be_imported_again(client, tmp_path):
    write_logs(tmp_path / "exp", [1.0])
    (number,) = take_in(client, tmp_path)["runs"]
    files = sorted(os.listdir(tmp_path / "exp"))
    assert client.delete(f"/runs/{number}").status_code == 204
    assert sorted(os.listdir(tmp_path / "exp")) == files
    assert take_in(client, tmp_path)["created"] == 1


def test_what_of_the_files_is_left_out_is_answered_and_stands_on_the_page(client, tmp_path):
    damaged = bytearray(scalar("loss", 1, 1))
    damaged[20] ^= 1
    hostile = f"<b>&{NAME}"
    write(tmp_path / hostile, version(), scalar("loss", 0, 1), bytes(damaged), scalar("loss", 2, 1))
    write(tmp_path / f"{NAME}.gz", b"\x1f\x8b" + b"\1" * 50)
    write(tmp_path / f"{NAME}.ms", version(), scalar("loss", 3, 1, 1.7e12))
    view = take_in(client, tmp_path)
    again = take_in(client, tmp_path)
    assert (view["created"], again["unchanged"]) == (1, 1)
    assert sorted(again["problems"]) == sorted(view["problems"])
    problems = client.get(f"/runs/{view['runs'][0]}/scalars").json()["problems"]
    assert view["problems"] == [f"{tmp_path}: {problem}" for problem in problems]
    said = {problem.split(": ")[0]: problem for problem in problems}
    assert set(said) == {hostile, f"{NAME}.gz", f"{NAME}.ms"}
    assert "are left out" in said[hostile]
    assert "milliseconds" in said[f"{NAME}.ms"]
    page = client.get(f"/runs/{view['runs'][0]}", headers={"Accept": "text/html"}).text
    assert page.count(f"<li><bdi>&lt;b&gt;&amp;{NAME}: a record does not match") == 2


def test_runs_that_end_in_nan_or_infinity_are_found(client, cold_deck, tmp_path):
    ends = {"nan": math.nan, "inf": math.inf, "fine": 1.0}
    for name, last in ends.items():
        write(tmp_path / name / NAME, version(), *(scalar("ended", step, step) for step in range(20)))
        write(tmp_path / name / NAME, scalar("ended", 20, last), scalar("other", 1, 1))
    view = take_in(client, tmp_path, tags=["ends"])
    numbers = {client.get(f"/runs/{number}").json()["name"]: number for number in view["runs"]}
    content = version() + scalar("ended", 1, 1) + scalar("ended", 2, -math.inf)
    launched = cold_deck.launch(script_that_writes({f"runs/{NAME}": content}), tags=["ends"])["id"]
    cold_deck.wait_until_ended(launched)
    found = {launched, numbers["nan"], numbers["inf"]}
    for query in ("metrics.ended:nan tag:ends", "is:diverged tag:ends"):
        items = client.get("/runs", params={"q": query}).json()["items"]
        assert {one["id"] for one in items} == found, query
    assert client.get("/runs", params={"q": "is!=diverged tag:ends"}).json()["items"][0]["id"] == numbers["fine"]
    assert client.get(f"/runs/{launched}").json()["metrics"]["ended"] == {"last": None, "min": 1, "max": 1, "step": 2}
    # What is new goes on from there.
    write(tmp_path / "nan" / NAME, scalar("ended", 21, 2.0))
    assert take_in(client, tmp_path)["refreshed"] == 1
    items = client.get("/runs", params={"q": "is:diverged tag:ends"}).json()["items"]
    assert {one["id"] for one in items} == found - {numbers["nan"]}


def test_a_copy_outlives_the_folder(client, cold_deck, tmp_path):
    write_logs(tmp_path / "exp", [1.0])
    (tmp_path / "exp" / "outside").symlink_to("/etc/passwd")
    (number,) = take_in(client, tmp_path, copy=True)["runs"]
    copied = cold_deck.home / "runs" / str(number) / "attempt-1" / "work"
    assert [one.name for one in copied.iterdir()] == [one.name for one in (tmp_path / "exp").glob("events*")]
    for file in (tmp_path / "exp").iterdir():
        file.unlink()
    assert client.get(f"/runs/{number}/tensorboard/data/runs").json() == ["."]


def test_a_folder_that_is_gone_says_so_and_its_curves_stay(client, tmp_path):
    write_logs(tmp_path / "exp", [1.0, 2.0])
    (number,) = take_in(client, tmp_path)["runs"]
    (tmp_path / "exp").rename(tmp_path / "moved")
    assert len(client.get(f"/runs/{number}/scalars", params={"tag": "loss"}).json()["series"][0]["steps"]) == 2
    board = client.get(f"/runs/{number}/tensorboard/data/runs")
    assert board.status_code == 404
    assert str(tmp_path / "exp") in board.json()["detail"]
    assert client.get(f"/runs/{number}/files").json()["items"] == []


def test_an_imported_run_cannot_be_started(client, tmp_path):
    write_logs(tmp_path / "exp", [1.0])
    (number,) = take_in(client, tmp_path)["runs"]
    for verb in ("retry", "resume", "rerun"):
        answer = client.post(f"/runs/{number}/{verb}")
        assert answer.status_code == 409
        assert "imported" in answer.json()["detail"]


def test_every_page_has_room_for_an_imported_run(client, tmp_path):
    for name in ("a", "b"):
        write_logs(tmp_path / name, [1.0], {"lr": 0.5})
    first, second = take_in(client, tmp_path)["runs"]
    page = {"Accept": "text/html"}
    for address in ("/runs", f"/runs/{first}", f"/compare?runs={first},{second}", f"/launch?from={first}"):
        answer = client.get(address, headers=page)
        assert answer.status_code == 200, address
    assert "imported" in client.get(f"/runs/{first}", headers=page).text
    assert 'data-action="rerun"' not in client.get(f"/runs/{first}", headers=page).text
    for part in ("record", "log", "files", "code"):
        assert client.get(f"/runs/{first}/{part}").status_code in (200, 404), part


@pytest.mark.parametrize(
    "path", ["relative", "/", "/proc/self", "/dev", "/nowhere/at/all", "/etc/hostname", "/a\0b", "~"]
)
def test_what_is_no_folder_of_logs_is_refused(client, path):
    answer = client.post("/imports", json={"path": path})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "path"


def test_the_decks_own_runs_and_folders_without_event_files_are_refused(client, cold_deck, tmp_path):
    for path in (cold_deck.home / "runs", tmp_path):
        assert client.post("/imports", json={"path": str(path)}).status_code == 422


def test_a_folder_whose_name_is_not_utf8_is_imported_as_any_other(client, tmp_path):
    for name in ("a", "b", "c"):
        write_logs(tmp_path / name, [1.0])
    (tmp_path / "b").rename(tmp_path / os.fsdecode(b"b\xff"))
    view = take_in(client, tmp_path)
    assert (view["created"], view["problems"]) == (3, [])
    names = {number: client.get(f"/runs/{number}").json()["name"] for number in view["runs"]}
    assert sorted(names.values()) == ["a", "b?", "c"]
    (odd,) = [number for number, name in names.items() if name == "b?"]
    assert client.get(f"/runs/{odd}/tensorboard/data/runs").json() == ["."]
    assert take_in(client, tmp_path)["unchanged"] == 3


def test_a_folder_that_cannot_be_taken_in_is_told_and_leaves_no_run(client, cold_deck, tmp_path):
    for name in ("one", "two", "three"):
        write_logs(tmp_path / name, [1.0])
    (earlier,) = take_in(client, tmp_path / "one")["runs"]
    in_the_way = cold_deck.home / "runs" / str(earlier + 1)
    in_the_way.touch()
    view = take_in(client, tmp_path)
    assert (view["created"], view["unchanged"], len(view["runs"])) == (1, 1, 2)
    assert len(view["problems"]) == 1
    assert str(in_the_way) in view["problems"][0]
    assert client.get(f"/runs/{earlier + 1}").status_code == 404
    in_the_way.unlink()
    assert take_in(client, tmp_path)["created"] == 1


def test_torn_and_foreign_files_do_no_harm(client, tmp_path):
    write_logs(tmp_path / "torn", [1.0, 2.0])
    (file,) = (tmp_path / "torn").iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "events.out.tfevents.1").write_bytes(os.urandom(500))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "events.out.tfevents.2").touch()
    os.mkfifo(tmp_path / "empty" / "events.out.tfevents.3")
    assert take_in(client, tmp_path)["created"] == 3


def test_what_an_import_had_no_time_to_read_is_read_afterwards(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / "logs" / name).mkdir(parents=True)
        (tmp_path / "logs" / name / NAME).write_bytes(version() + scalar(f"loss/{name}", 1, 0.5))
    (tmp_path / "logs" / NAME).write_bytes(version() + scalar("loss", 1, 0.5))
    monkeypatch.setattr(importing, "READ_SECONDS", 0.0)
    monkeypatch.setattr(tail, "READ_SECONDS", 0.0)
    deck, observer = open_deck(Settings(home=tmp_path / "home", cold=True))

    def metrics() -> set[str]:
        with deck.database.read() as session:
            return set(show_run(session, 1, deck.slots.capacity).metrics)

    body = importing.ImportBody(path=str(tmp_path / "logs"))
    view = importing.import_below(deck.launchpad, body, 1_000_000)
    assert (view.runs, view.created, view.left) == ([1], 1, 0)
    assert metrics() == {"loss"}
    while list(deck.files.unread.iterdir()):
        observer.tick()
    assert metrics() == {"loss", "loss/a", "loss/b", "loss/c"} or metrics() == {
        "loss",
        "a/loss/a",
        "b/loss/b",
        "c/loss/c",
    }
    deck.database.close()
