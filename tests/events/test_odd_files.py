"""Files that are corrupt, foreign, hostile, huge or gone cost no more than themselves."""

import os
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from events.eventfiles import NAME, accumulated, frame, read_all, scalar, stored, write
from traindeck.events.series import list_series
from traindeck.events.tail import AttemptTail, catch_up


def test_a_corrupt_record_ends_its_file_with_a_reason_and_no_other(work: Path, store: Path, tail: AttemptTail) -> None:
    broken = bytearray(scalar("loss", 1, 1))
    broken[20] ^= 1
    write(work / "a" / NAME, scalar("loss", 0, 0), bytes(broken), scalar("loss", 2, 2))
    write(work / "b" / NAME, scalar("loss", 0, 5))
    update = read_all(tail)
    assert (update.new_points, update.caught_up) == (2, True)
    size = len(scalar("loss", 0, 0))
    assert update.problems == [
        f"a/{NAME}: a record does not match its checksum (at byte {size}); "
        f"the last {2 * len(broken)} of its {size + 2 * len(broken)} bytes are left out"
    ]
    write(work / "a" / NAME, scalar("loss", 3, 3))
    write(work / "b" / NAME, scalar("loss", 1, 6))
    assert tail.poll().new_points == 1
    tail.close()
    with AttemptTail(work, store) as again:
        assert (again.poll().new_points, again.poll().problems) == (0, update.problems)


def test_foreign_and_odd_files_are_reported_or_passed_over(work: Path, tail: AttemptTail) -> None:
    (work / "my.tfevents.txt").write_text("nothing of the kind, though named so")
    (work / "empty.tfevents").touch()
    (work / "folder.tfevents").mkdir()
    os.mkfifo(work / "pipe.tfevents")
    (work / "link.tfevents").symlink_to("/dev/zero")
    write(work / NAME, scalar("loss", 1, 1), frame(b"\xff" * 40), frame(b""), scalar("loss", 2, 2))
    update = read_all(tail)
    assert update.new_points == 2
    assert [problem.split(":")[0] for problem in update.problems] == ["my.tfevents.txt"]


def test_a_file_that_cannot_be_opened_is_tried_again(work: Path, tail: AttemptTail) -> None:
    path = write(work / NAME, scalar("loss", 1, 1))
    tail.poll()
    write(path, scalar("loss", 2, 2))
    path.rename(work / "kept")
    path.symlink_to("kept" * 50)
    for _ in range(2):
        update = tail.poll()
        assert (update.new_points, len(update.problems), update.caught_up) == (0, 1, True)
    path.unlink()
    (work / "kept").rename(path)
    update = tail.poll()
    assert (update.new_points, update.problems) == (1, [])


def test_links_to_folders_are_not_followed(work: Path, tmp_path: Path, tail: AttemptTail) -> None:
    write(tmp_path / "elsewhere" / NAME, scalar("theirs", 1, 1))
    (work / "data").symlink_to(tmp_path / "elsewhere")
    (work / "loop").symlink_to(".")
    write(work / NAME, scalar("ours", 1, 1))
    assert set(read_all(tail).changed) == {"ours"}


HOSTILE = [
    "../../etc/passwd",
    "a\0b",
    "\u202egnp.exe",
    "x" * 10_000,
    "<script>",
    "",
    "\n\nevent: x",
    "ü/日本",
]


def test_hostile_tags_are_kept_as_they_are_and_stay_inside_the_store(work: Path, store: Path, tmp_path: Path) -> None:
    write(work / NAME, *(scalar(tag, place, place) for place, tag in enumerate(HOSTILE)))
    catch_up(work, store, 60)
    assert {name: rows[0][2] for name, rows in stored(store).items()} == {tag: i for i, tag in enumerate(HOSTILE)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scalars", "work"]
    assert len(list(store.iterdir())) == 5


def test_tags_and_folders_that_are_no_unicode_can_still_be_sent(work: Path, store: Path) -> None:
    write(work / NAME, scalar("ab", 1, 1))
    raw = scalar("XY", 1, 1)[12:-4].replace(b"XY", b"\xed\xa0")
    write(work / NAME, frame(raw))
    write(work / os.fsdecode(b"bad\xff") / NAME, scalar("loss", 1, 1))
    catch_up(work, store, 60)
    assert set(list_series(store)) == {"ab", "\\xed\\xa0", "bad\\xff/loss"}
    "".join(list_series(store)).encode()


def test_tags_too_long_and_series_too_many_are_left_out_and_said(work: Path, tail: AttemptTail) -> None:
    write(work / NAME, scalar("x" * 20_000, 1, 1), *(scalar(f"tag {i}", 1, 1) for i in range(20_005)))
    update = read_all(tail)
    assert len(update.changed) == 20_000
    assert len(update.problems) == 1


def test_a_large_image_between_scalars_is_no_obstacle(work: Path, store: Path, tail: AttemptTail) -> None:
    with SummaryWriter(str(work)) as writer:
        for step in range(3):
            writer.add_scalar("loss", step, step)
            writer.add_image("noise", np.random.default_rng(step).random((3, 900, 900)), step)
    assert (work / next(iter(os.listdir(work)))).stat().st_size > 3 << 20
    assert read_all(tail).problems == []
    assert stored(store) == accumulated(work)


def test_a_vanished_or_empty_working_folder_has_no_series(work: Path, store: Path) -> None:
    assert catch_up(work, store, 60).changed == {}
    work.rmdir()
    update = catch_up(work, store, 60)
    assert (update.changed, update.problems, update.caught_up) == ({}, [], True)
