"""PATCH, DELETE, cancel, retry, resume: done, missing, refused, and raced."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.conftest import home_of, problem_of, script_that_writes
from support.served import ServedDeck
from support.waiting import wait_for

ACTIONS = ["cancel", "retry", "resume"]


@pytest.fixture
def ended(cold_deck: ServedDeck) -> int:
    return cold_deck.wait_until_ended(cold_deck.launch("print('done')")["id"])["id"]


@pytest.fixture
def running(cold_deck: ServedDeck):
    run_id = cold_deck.launch("import signal\nprint('up')\nsignal.pause()")["id"]
    cold_deck.wait_for_line(run_id, "up")
    cold_deck.wait_for_status(run_id, "running")
    yield run_id
    cold_deck.client.post(f"/runs/{run_id}/cancel")
    cold_deck.wait_until_ended(run_id)


def test_an_edit_changes_what_it_names_and_nothing_else(client, ended):
    before = client.get(f"/runs/{ended}").json()

    after = client.patch(f"/runs/{ended}", json={"name": "new", "tags": ["x", "y", "x"], "notes": "n"}).json()

    changed = {"name": "new", "tags": ["x", "y"], "notes": "n"}
    assert after == {**before, **changed}
    assert client.get(f"/runs/{ended}").json() == after
    assert client.patch(f"/runs/{ended}", json={"tags": []}).json() == {**after, "tags": []}
    assert client.patch(f"/runs/{ended}", json={}).json() == {**after, "tags": []}


def test_a_priority_moves_a_queued_run_ahead(queued, client):
    first, second = queued(), queued()

    client.patch(f"/runs/{second['id']}", json={"priority": 5})

    place = {run["id"]: client.get(f"/runs/{run['id']}").json()["queue_position"] for run in (first, second)}
    assert place[second["id"]] < place[first["id"]]


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"name": ""}, "name", "at least 1"),
        ({"tags": ["x" * 101]}, "tags.0", "at most 100"),
        ({"tags": ["x"] * 51}, "tags", "50"),
        ({"priority": 1.5}, "priority", "whole number"),
        ({"nmae": "x"}, "nmae", "did you mean 'name'?"),
        ({"trainer": "mnist"}, "trainer", "there are: name, notes, priority, tags"),
        ({"status": "completed"}, "status", "there is no field"),
    ],
)
def test_an_edit_that_is_refused_names_the_field_and_changes_nothing(client, ended, body, field, says):
    before = client.get(f"/runs/{ended}").json()

    content = problem_of(client.patch(f"/runs/{ended}", json=body), 422)

    assert [error["field"] for error in content["errors"]] == [field]
    assert says in content["detail"]
    assert client.get(f"/runs/{ended}").json() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_can_be_done_with_a_run_that_there_is_not(client, action):
    problem_of(client.post(f"/runs/999999/{action}"), 404)
    problem_of(client.patch("/runs/999999", json={}), 404)
    problem_of(client.delete("/runs/999999"), 404)


def test_a_deleted_run_is_gone_with_its_files(cold_deck, client, ended):
    assert home_of(cold_deck, ended).is_dir()

    assert client.delete(f"/runs/{ended}").status_code == 204

    problem_of(client.get(f"/runs/{ended}"), 404)
    problem_of(client.delete(f"/runs/{ended}"), 404)
    assert not home_of(cold_deck, ended).exists()
    assert list((cold_deck.home / "runs").glob(".deleted-*")) == []


def test_a_run_that_was_deleted_as_soon_as_it_ended_leaves_nothing_behind(cold_deck, client):
    for _ in range(5):
        run_id = cold_deck.launch("import os; os.makedirs('a/b'); open('a/b/c', 'w'); os.chmod('a/b', 0o500)")["id"]
        cold_deck.wait_until_ended(run_id)
        assert client.delete(f"/runs/{run_id}").status_code == 204
        assert not home_of(cold_deck, run_id).exists()
    other = cold_deck.wait_until_ended(cold_deck.launch("pass")["id"])["id"]
    assert not home_of(cold_deck, run_id).exists()
    assert other > run_id


def test_a_run_whose_folder_somebody_has_removed_can_be_deleted(cold_deck, client, ended):
    import shutil

    shutil.rmtree(home_of(cold_deck, ended))

    assert client.get(f"/runs/{ended}/log").content == b""
    assert client.get(f"/runs/{ended}/files").json()["items"] == []
    assert client.get(f"/runs/{ended}/scalars").json() == {"series": [], "tags": [], "problems": []}
    assert client.delete(f"/runs/{ended}").status_code == 204


def test_a_run_that_has_a_process_is_not_deleted(client, running):
    assert "cancel it" in problem_of(client.delete(f"/runs/{running}"), 409)["detail"]
    assert client.get(f"/runs/{running}").json()["status"] == "running"


def test_a_queued_run_can_be_deleted(client, queued):
    run_id = queued()["id"]
    assert client.delete(f"/runs/{run_id}").status_code == 204
    problem_of(client.get(f"/runs/{run_id}"), 404)


def test_a_queued_run_is_cancelled_at_once_and_can_be_cancelled_twice(client, queued):
    run_id = queued()["id"]

    assert client.post(f"/runs/{run_id}/cancel").json()["status"] == "cancelled"
    assert client.post(f"/runs/{run_id}/cancel").json()["status_reason"] == "cancelled by the user"


def test_a_running_run_is_stopped_and_can_be_cancelled_twice(cold_deck, client, running):
    answers = [client.post(f"/runs/{running}/cancel").json()["status"] for _ in range(2)]

    assert answers[0] == "stopping"
    assert answers[1] in ("stopping", "cancelled")
    assert cold_deck.wait_until_ended(running)["status"] == "cancelled"
    assert client.post(f"/runs/{running}/cancel").json()["status"] == "cancelled"


def test_a_run_that_has_ended_cannot_be_cancelled(client, ended):
    assert (
        problem_of(client.post(f"/runs/{ended}/cancel"), 409)["detail"] == f"Run {ended} has ended already: completed."
    )


@pytest.mark.parametrize("action", ["retry", "resume"])
def test_a_run_that_has_not_ended_gets_no_new_attempt(client, running, action):
    assert f"{action} it when it has ended" in problem_of(client.post(f"/runs/{running}/{action}"), 409)["detail"]


def test_a_retry_is_a_new_attempt_and_keeps_the_old_one(cold_deck, client, ended):
    again = client.post(f"/runs/{ended}/retry").json()
    assert again["status"] == "queued"
    assert again["finished_at"] is None

    run = cold_deck.wait_until_ended(ended)

    assert (run["attempt"], run["status"]) == (2, "completed")
    assert client.get(f"/runs/{ended}/log", params={"attempt": 1}).text == "done\n"
    assert client.get(f"/runs/{ended}/log", params={"attempt": 2}).text == "done\n"


SAVES = """
import os, pathlib
saved = pathlib.Path("checkpoints/last.pt")
before = os.environ.get("TRAINDECK_RESUME_FROM")
done = int(pathlib.Path(before).read_text()) if before else 0
saved.parent.mkdir()
saved.write_text(str(done + 1))
print("epochs", done + 1)
"""


def test_a_resume_goes_on_from_the_last_checkpoint_and_a_retry_does_not(cold_deck, client):
    run_id = cold_deck.wait_until_ended(cold_deck.launch(SAVES)["id"])["id"]

    for action, line in (("resume", "epochs 2"), ("resume", "epochs 3"), ("retry", "epochs 1"), ("resume", "epochs 2")):
        assert client.post(f"/runs/{run_id}/{action}").status_code == 200
        assert cold_deck.wait_until_ended(run_id)["status"] == "completed"
        assert cold_deck.log_of(run_id) == f"{line}\n"


def test_there_is_nothing_to_resume_without_a_checkpoint(client, ended, queued):
    assert "no checkpoint" in problem_of(client.post(f"/runs/{ended}/resume"), 409)["detail"]


def test_of_many_that_retry_at_once_one_queues_the_run(cold_deck, ended):
    def retry(_: int) -> int:
        return httpx.post(f"{cold_deck.url}/runs/{ended}/retry", trust_env=False).status_code

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(retry, range(10)))

    run = cold_deck.wait_until_ended(ended)
    assert answers.count(200) == run["attempt"] - 1 >= 1
    assert set(answers) <= {200, 409}


def test_cancelling_while_a_run_ends_leaves_one_final_status_that_stays(cold_deck, client):
    for _ in range(8):
        run_id = cold_deck.launch("print('end')")["id"]
        wait_for(lambda run_id=run_id: cold_deck.run(run_id)["attempt"] == 1, "it has been claimed")
        answers: list[int] = []

        def cancel(run_id=run_id, answers=answers) -> None:
            answers.append(httpx.post(f"{cold_deck.url}/runs/{run_id}/cancel", trust_env=False).status_code)

        threads = [threading.Thread(target=cancel) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = cold_deck.wait_until_ended(run_id)
        assert set(answers) <= {200, 409}
        assert ended["status"] == ("cancelled" if 200 in answers else "completed")
        assert cold_deck.run(run_id) == ended


def test_a_script_that_ends_by_itself_while_it_is_stopped_is_cancelled(cold_deck, client):
    run_id = cold_deck.launch(
        "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nprint('up')\nsignal.pause()"
    )["id"]
    cold_deck.wait_for_line(run_id, "up")

    client.post(f"/runs/{run_id}/cancel")

    run = cold_deck.wait_until_ended(run_id)
    assert (run["status"], run["status_reason"]) == ("cancelled", "stopped by the user")


def test_a_stopping_run_whose_shim_is_killed_is_cancelled_and_not_lost(cold_deck, client):
    import os
    import signal

    run_id = cold_deck.launch("import signal\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf')\nsignal.pause()")["id"]
    cold_deck.wait_for_line(run_id, "deaf")
    assert client.post(f"/runs/{run_id}/cancel").json()["status"] == "stopping"
    os.kill(cold_deck.process_record(run_id)["shim"]["pid"], signal.SIGKILL)

    assert cold_deck.wait_until_ended(run_id)["status"] == "cancelled"


def test_a_file_that_a_run_writes_is_deleted_with_it(cold_deck, client):
    run_id = cold_deck.launch(script_that_writes({"out.bin": b"x" * 100}))["id"]
    cold_deck.wait_until_ended(run_id)
    assert client.get(f"/runs/{run_id}/files/out.bin").content == b"x" * 100
    client.delete(f"/runs/{run_id}")
    problem_of(client.get(f"/runs/{run_id}/files/out.bin"), 404)
