"""What the deck does for a script without being asked: fresh event files, and data that is there already."""

from pathlib import Path

from support.served import ServedDeck
from support.waiting import wait_for


def test_a_default_writer_shows_its_scalars_while_the_run_goes_on(shared_deck: ServedDeck) -> None:
    run_id = shared_deck.launch(
        "import signal\nfrom torch.utils.tensorboard import SummaryWriter\n"
        "writer = SummaryWriter()\nwriter.add_scalar('Loss/train', 0.25, 7)\n"
        "writer.add_scalar('Loss/train', 0.125, 8)\nsignal.pause()"
    )["id"]
    metrics = wait_for(lambda: shared_deck.run(run_id)["metrics"], "the scalar is seen before any flush of 120 s")
    assert metrics == {"Loss/train": {"last": 0.125, "min": 0.125, "max": 0.25, "step": 8}}
    assert shared_deck.run(run_id)["status"] == "running"
    shared_deck.client.post(f"/runs/{run_id}/cancel")
    shared_deck.wait_for_status(run_id, "cancelled")


def test_an_interval_that_the_script_chose_is_left_to_it(shared_deck: ServedDeck) -> None:
    source = (
        "from torch.utils.tensorboard import SummaryWriter\n"
        "for options in ({}, {'flush_secs': 33}):\n"
        "    writer = SummaryWriter(**options)\n"
        "    print(writer.file_writer.event_writer._async_writer._worker._flush_secs)\n"
    )
    run = shared_deck.launch(source)
    shared_deck.wait_for_status(run["id"], "completed")
    assert shared_deck.log_of(run["id"]) == "1\n33\n"


def test_the_interval_is_short_in_a_cold_start_too(cold_deck: ServedDeck) -> None:
    source = (
        "from torch.utils.tensorboard import SummaryWriter\n"
        "print(SummaryWriter().file_writer.event_writer._async_writer._worker._flush_secs)\n"
    )
    run = cold_deck.launch(source)
    cold_deck.wait_for_status(run["id"], "completed", seconds=60)
    assert cold_deck.log_of(run["id"]) == "1\n"


def test_runs_that_write_to_one_folder_of_the_users_stay_apart(shared_deck: ServedDeck, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom torch.utils.tensorboard import SummaryWriter\n"
        "with SummaryWriter(Path(__file__).parent / 'runs' / 'exp') as writer:\n"
        "    for step in range(10):\n        writer.add_scalar(sys.argv[1], step, step)\n"
    )
    for name in ("first", "second"):
        run_id = shared_deck.launch(script={"path": str(script), "args": [name]})["id"]
        assert shared_deck.wait_until_ended(run_id)["status"] == "completed"
        wait_for(lambda number=run_id: shared_deck.run(number)["metrics"], "its scalars are read")
        series = shared_deck.client.get(f"/runs/{run_id}/scalars", params={"tag": name}).json()
        assert (series["tags"], series["series"][0]["steps"]) == ([name], list(range(10)))
        board = f"/runs/{run_id}/tensorboard/data/plugin/scalars"
        called = f"{tmp_path}/runs/exp".lstrip("/")
        assert {run: [*tags] for run, tags in shared_deck.client.get(f"{board}/tags").json().items()} == {
            called: [name]
        }
        points = shared_deck.client.get(f"{board}/scalars", params={"run": called, "tag": name}).json()
        assert [step for _, step, _ in points] == list(range(10))
    assert len(list((tmp_path / "runs/exp").iterdir())) == 2


def test_data_sets_of_the_deck_are_found_under_the_usual_names(cold_deck: ServedDeck) -> None:
    (cold_deck.home / "datasets/MNIST/raw").mkdir(parents=True, exist_ok=True)
    (cold_deck.home / "datasets/MNIST/raw/digits").write_text("7")
    names = ("MNIST", "data/MNIST", "../data/MNIST")
    run = cold_deck.launch(f"print([open(name + '/raw/digits').read() for name in {names!r}])")
    cold_deck.wait_for_status(run["id"], "completed")
    assert cold_deck.log_of(run["id"]) == "['7', '7', '7']\n"


def test_what_a_script_downloads_to_data_is_there_for_the_next(cold_deck: ServedDeck) -> None:
    first = cold_deck.launch("import os\nos.makedirs('./data/own')\nopen('./data/own/x', 'w').write('1')")
    cold_deck.wait_for_status(first["id"], "completed")
    second = cold_deck.launch("print(open('../data/own/x').read())")
    cold_deck.wait_for_status(second["id"], "completed")
    assert cold_deck.log_of(second["id"]) == "1\n"


def test_linked_data_is_neither_listed_nor_served_as_what_the_run_wrote(cold_deck: ServedDeck) -> None:
    (cold_deck.home / "datasets/MNIST").mkdir(parents=True, exist_ok=True)
    (cold_deck.home / "datasets/MNIST/digits").write_text("7")
    run = cold_deck.launch("open('own.txt', 'w').write('mine')")
    cold_deck.wait_for_status(run["id"], "completed")
    listed = cold_deck.client.get(f"/runs/{run['id']}/files").json()["items"]
    assert [file["path"] for file in listed] == ["own.txt"]
    assert cold_deck.client.get(f"/runs/{run['id']}/files/MNIST/digits").status_code == 404
    assert Path(cold_deck.home / f"runs/{run['id']}/attempt-1/work/MNIST").is_symlink()
