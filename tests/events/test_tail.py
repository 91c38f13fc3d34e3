"""A tail over real log folders brings exactly what TensorBoard's own reader shows."""

import math
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboardX import SummaryWriter as TensorboardX
from torch.utils.tensorboard import SummaryWriter

from events.eventfiles import NAME, accumulated, read_all, scalar, stored, version, write
from traindeck.events.attemptreader import AttemptReader
from traindeck.events.series import list_series
from traindeck.events.store import SeriesStore
from traindeck.events.tail import AttemptTail, catch_up


def test_every_scalar_of_a_summary_writer_is_as_tensorboard_reads_it(work: Path, store: Path) -> None:
    with SummaryWriter(str(work / "logs")) as writer:
        for step in range(300):
            writer.add_scalar("Loss/train", 1 / (step + 1), step)
            writer.add_scalar("new", step * 3, step, new_style=True)
            writer.add_scalar("precise", math.pi * step, step, new_style=True, double_precision=True)
            writer.add_scalar("no step", step)
        writer.add_scalar("odd", float("nan"), -3)
        writer.add_scalar("odd", float("inf"), 2**40)
        writer.add_histogram("weights", np.arange(100.0), 0)
        writer.add_image("image", np.zeros((3, 64, 64)), 0)
        writer.add_text("text", "words", 0)
        writer.add_pr_curve("curve", np.array([0, 1]), np.array([0.1, 0.9]), 0)
    update = catch_up(work, store, 60)
    found, expected = stored(store), accumulated(work / "logs")
    assert repr({tag: found[tag] for tag in expected}) == repr(expected)
    assert [value for _, _, value in found["precise"]] == [math.pi * step for step in range(300)]
    assert [value for _, _, value in found["new"]] == [step * 3 for step in range(300)]
    assert set(found) == {"Loss/train", "new", "precise", "no step", "odd"}
    assert (update.new_points, update.problems, update.caught_up) == (1202, [], True)


def test_summaries_say_last_least_most_and_leave_nan_out(work: Path, tail: AttemptTail) -> None:
    points = [(0, 3.0), (1, math.nan), (2, -1.0), (3, math.inf), (4, 2.0)]
    write(work / NAME, version(), *(scalar("loss", step, value, 100.0 + step) for step, value in points))
    write(work / NAME, scalar("never", 7, math.nan))
    changed = read_all(tail).changed
    loss, never = changed["loss"], changed["never"]
    assert (loss.last, loss.min, loss.max, loss.step, loss.count, loss.wall_time) == (
        2.0,
        -1.0,
        3.0,
        4,
        5,
        104.0,
    )
    assert (never.last, never.min, never.max, never.step, never.count) == (None, None, None, 7, 1)


def test_each_poll_brings_what_was_written_since(work: Path, store: Path, tail: AttemptTail) -> None:
    with SummaryWriter(str(work)) as writer:
        for step in range(5):
            writer.add_scalar("loss", step, step)
            writer.flush()
            update = read_all(tail)
            assert (update.new_points, update.changed["loss"].count) == (1, step + 1)
        assert tail.poll().changed == {}
    assert stored(store) == accumulated(work)


def test_a_file_that_grows_byte_by_byte_gives_each_point_once(work: Path, store: Path, tail: AttemptTail) -> None:
    content = version() + b"".join(scalar("loss", step, step) for step in range(6))
    points = 0
    for place in range(len(content)):
        write(work / NAME, content[place : place + 1])
        update = tail.poll(rescan=place == 0)
        assert (update.problems, update.caught_up) == ([], True)
        points += update.new_points
    assert points == 6
    assert stored(store) == accumulated(work)


def test_a_writer_opened_again_goes_on_with_the_same_series(work: Path, store: Path, tail: AttemptTail) -> None:
    for part in range(3):
        with SummaryWriter(str(work / "logs")) as writer:
            for step in range(part * 10, part * 10 + 10):
                writer.add_scalar("loss", step, step)
        read_all(tail)
    assert [step for step, _, _ in stored(store)["loss"]] == list(range(30))


def test_points_that_a_restart_withdraws_are_gone_as_in_tensorboard(work: Path, store: Path, tail: AttemptTail) -> None:
    with SummaryWriter(str(work)) as writer:
        for step in range(50):
            writer.add_scalar("loss", step, step)
            writer.add_scalar("lr", 0.1, step)
    assert read_all(tail).changed["loss"].count == 50
    with SummaryWriter(str(work), purge_step=20) as writer:
        writer.add_scalar("loss", 0.5, 20)
    changed = read_all(tail).changed
    assert stored(store) == accumulated(work)
    assert (changed["loss"].count, changed["loss"].last, changed["loss"].max) == (21, 0.5, 19.0)
    assert (changed["lr"].count, changed["lr"].step) == (20, 19)


def test_scalar_groups_are_named_by_group_and_member(work: Path, store: Path) -> None:
    with SummaryWriter(str(work / "logs")) as writer:
        writer.add_scalar("Loss/train", 1, 0)
        writer.add_scalars("Loss/both", {"train": 1, "valid": 2}, 0)
    with SummaryWriter(str(work / "logs" / "eval")) as writer:
        writer.add_scalar("Loss/train", 3, 0)
    catch_up(work, store, 60)
    assert {name: rows[0][2] for name, rows in stored(store).items()} == {
        "Loss/train": 1,
        "Loss/both/train": 1,
        "Loss/both/valid": 2,
        "eval/Loss/train": 3,
    }


def test_names_do_not_depend_on_the_order_in_which_files_are_found(work: Path, tmp_path: Path) -> None:
    files = {
        "z/deep/events.out.tfevents.1700000001.h.1.0": "first opened",
        "a/events.out.tfevents.1700000002.h.1.1": "later",
        "z/deep/eval/events.out.tfevents.1700000003.h.1.2": "below",
    }
    live = AttemptTail(work, tmp_path / "live")
    for name, tag in files.items():
        write(work / name, scalar(tag, 1, 1))
        read_all(live)
    live.close()
    catch_up(work, tmp_path / "late", 60)
    expected = {"first opened", "a/later", "eval/below"}
    assert set(list_series(tmp_path / "live")) == set(list_series(tmp_path / "late")) == expected


def test_two_series_that_would_have_one_name_stay_two(work: Path, store: Path) -> None:
    write(work / "logs" / "events.out.tfevents.1.h.1.0", scalar("eval/loss", 1, 10))
    write(work / "logs" / "eval" / "events.out.tfevents.2.h.1.0", scalar("loss", 1, 20))
    catch_up(work, store, 60)
    assert {name: rows[0][2] for name, rows in stored(store).items()} == {
        "eval/loss": 10,
        "eval/loss (logs/eval: loss)": 20,
    }


def test_charts_show_what_is_on_disk_where_a_file_is_rewritten_or_a_folder_begun_again(
    work: Path, store: Path, tail: AttemptTail
) -> None:
    write(work / "a" / NAME, version(), *(scalar("loss", step, 1) for step in range(9)), scalar("old", 1, 1))
    write(work / "b" / NAME, scalar("loss", 1, 1))
    read_all(tail)
    (work / "a" / NAME).unlink()
    write(work / "a" / NAME, version(), *(scalar("loss", step, 2) for step in range(3)))
    shutil.rmtree(work / "b")
    write(work / "b" / "events.out.tfevents.1700000100.host.1.0", scalar("loss", 5, 5))
    changed = read_all(tail).changed
    assert stored(store) == {"loss": [(step, 1.7e9, 2.0) for step in range(3)], "b/loss": [(5, 1.7e9, 5.0)]}
    assert {name: summary.count for name, summary in changed.items()} == {"loss": 3, "b/loss": 1, "old": 0}


def test_a_file_that_is_rewritten_longer_is_read_anew(work: Path, store: Path, tail: AttemptTail) -> None:
    path = write(work / NAME, *(scalar("loss", step, 1, 1.7e9) for step in range(3)))
    read_all(tail)
    path.write_bytes(b"")
    write(path, *(scalar("loss", step, 2, 1.8e9) for step in range(9)))
    read_all(tail)
    assert stored(store) == {"loss": [(step, 1.8e9, 2.0) for step in range(9)]}


def test_a_folder_that_is_renamed_is_one_series_as_after_a_reload_of_tensorboard(
    work: Path, store: Path, tail: AttemptTail
) -> None:
    write(work / "runs" / "tmp" / NAME, version(), *(scalar("loss", step, step) for step in range(20)))
    assert set(read_all(tail).changed) == {"loss"}
    (work / "runs" / "tmp").rename(work / "runs" / "final-acc=0.9")
    later = work / "runs" / "final-acc=0.9" / "events.out.tfevents.1700000100.host.1.1"
    write(later, version(), *(scalar("loss", step, step) for step in range(20, 25)))
    read_all(tail)
    assert stored(store) == {"loss": [(step, 1.7e9, step) for step in range(25)]}


def test_where_all_event_files_are_deleted_their_points_stay(work: Path, store: Path, tail: AttemptTail) -> None:
    write(work / "a" / NAME, scalar("loss", 1, 1))
    read_all(tail)
    shutil.rmtree(work / "a")
    assert read_all(tail).problems == []
    assert stored(store) == {"loss": [(1, 1.7e9, 1.0)]}


@pytest.mark.parametrize("writer", [SummaryWriter, TensorboardX], ids=["torch", "tensorboardX"])
def test_the_metrics_of_add_hparams_belong_to_the_run(work: Path, store: Path, writer: Any) -> None:
    with writer(str(work / "runs" / "exp")) as opened:
        opened.add_hparams({"lr": 0.1}, {"final/loss": 0.5, "accuracy": 0.9})
        opened.add_scalar("accuracy", 0.1, 1)
    catch_up(work, store, 60)
    assert {name: rows[0][2] for name, rows in stored(store).items()} == pytest.approx(
        {"final/loss": 0.5, "accuracy": 0.1, "accuracy (hparams)": 0.9}, rel=1e-6
    )


def test_a_huge_file_does_not_keep_a_small_one_waiting(work: Path, store: Path) -> None:
    write(work / "a" / NAME, *(scalar("huge", step, step) for step in range(100_000)))
    write(work / "b" / NAME, scalar("small", 1, 1))
    opened = SeriesStore.open(store)
    assert opened is not None
    reader = AttemptReader(work, opened)
    reader.discover([f"a/{NAME}", f"b/{NAME}"])
    for _ in range(2):
        reader.read(seconds=0)
        assert not reader.is_caught_up
    assert "b/small" in reader.take_changes()[0]
    reader.read(seconds=60)
    assert reader.is_caught_up
    assert reader.take_changes()[0]["huge"].count == 100_000
    opened.close()


TRAINER = """
import sys
from tensorboardX import SummaryWriter as TensorboardX
from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter(sys.argv[1], max_queue=1)
step = 0
while True:
    writer.add_scalar("Loss/train", step, step)
    step += 1
"""


def test_a_trainer_killed_while_writing_leaves_all_its_whole_records(
    work: Path, store: Path, tail: AttemptTail
) -> None:
    trainer = subprocess.Popen([sys.executable, "-c", TRAINER, str(work)])
    try:
        deadline, points = time.monotonic() + 60, 0
        while points < 2000:
            assert time.monotonic() < deadline
            points += tail.poll(rescan=True).new_points
    finally:
        trainer.send_signal(signal.SIGKILL)
        trainer.wait(30)
    update = read_all(tail)
    assert (update.problems, update.caught_up) == ([], True)
    assert stored(store) == accumulated(work)
