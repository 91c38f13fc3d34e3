"""`/runs/N/tensorboard-state`: a cheap answer to how far a board is, that opens none."""

import shutil
from pathlib import Path

from support.served import ServedDeck
from support.waiting import wait_for

WRITES = """
import pathlib, sys, time
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter("logs")
def write(step):
    event = event_pb2.Event(wall_time=step, step=step)
    event.summary.value.add(tag="loss", simple_value=step)
    writer.add_event(event)
    writer.flush()
for step in range(5):
    write(step)
while len(sys.argv) > 1 and not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
write(5)
writer.close()
"""


def board_state(deck: ServedDeck, run_id: int) -> dict[str, object]:
    response = deck.client.get(f"/runs/{run_id}/tensorboard-state")
    assert response.status_code == 200, response.text
    return response.json()


def launch(deck: ServedDeck, *arguments: str) -> int:
    return deck.launch(script={"source": WRITES, "filename": "writes.py", "args": list(arguments)})["id"]


def test_a_run_that_has_not_begun_waits(cold_deck: ServedDeck, tmp_path: Path) -> None:
    first = launch(cold_deck, str(tmp_path / "gate"))
    run = cold_deck.launch("", resources={"cpus": 2})
    assert board_state(cold_deck, run["id"])["state"] == "waiting"
    cold_deck.client.post(f"/runs/{run['id']}/cancel", json={})
    assert board_state(cold_deck, run["id"])["state"] == "gone"
    (tmp_path / "gate").touch()
    cold_deck.wait_until_ended(first)


def test_a_run_that_writes_no_events_is_empty(cold_deck: ServedDeck) -> None:
    run = cold_deck.launch("print('no events')")
    cold_deck.wait_until_ended(run["id"])
    assert board_state(cold_deck, run["id"]) == {
        "state": "empty", "disk_bytes": 0, "read_bytes": 0, "last_step": None, "reason": "",
    }  # fmt: skip


def test_asking_opens_no_board_and_an_open_one_says_what_it_has_read(cold_deck: ServedDeck) -> None:
    run_id = launch(cold_deck)
    cold_deck.wait_for_status(run_id, "completed")
    # TensorBoard itself starts beside the deck.
    wait_for(lambda: board_state(cold_deck, run_id)["state"] == "closed", "TensorBoard runs")
    before = board_state(cold_deck, run_id)
    assert (before["state"], before["read_bytes"]) == ("closed", 0)
    assert cold_deck.client.get(f"/runs/{run_id}/tensorboard/data/runs").json() == ["logs"]
    wait_for(lambda: board_state(cold_deck, run_id)["state"] == "current", "everything was read")
    after = board_state(cold_deck, run_id)
    assert after["read_bytes"] == after["disk_bytes"] == before["disk_bytes"]
    assert after["last_step"] == 5


def test_the_board_of_a_running_run_takes_in_what_is_new_by_being_watched(
    cold_deck: ServedDeck, tmp_path: Path
) -> None:
    run_id = launch(cold_deck, str(tmp_path / "gate"))
    wait_for(lambda: board_state(cold_deck, run_id)["state"] == "closed", "the first record was written")
    cold_deck.client.get(f"/runs/{run_id}/tensorboard/data/runs")
    wait_for(lambda: board_state(cold_deck, run_id)["last_step"] == 4, "the first steps were read")
    (tmp_path / "gate").touch()
    wait_for(lambda: board_state(cold_deck, run_id)["last_step"] == 5, "the last step was read")


def test_a_run_whose_files_were_deleted_says_so(cold_deck: ServedDeck) -> None:
    run_id = launch(cold_deck)
    cold_deck.wait_for_status(run_id, "completed")
    shutil.rmtree(cold_deck.home / "runs" / str(run_id))
    assert board_state(cold_deck, run_id)["state"] == "gone"


def test_an_open_board_whose_folder_has_gone_says_so(cold_deck: ServedDeck) -> None:
    run_id = launch(cold_deck)
    cold_deck.wait_until_ended(run_id)
    assert cold_deck.client.get(f"/runs/{run_id}/tensorboard/data/runs").json() == ["logs"]
    shutil.rmtree(cold_deck.home / f"runs/{run_id}/attempt-1")
    assert board_state(cold_deck, run_id)["state"] == "gone"


def test_a_run_that_is_not_there_has_no_board(cold_deck: ServedDeck) -> None:
    assert cold_deck.client.get("/runs/999999/tensorboard-state").status_code == 404
