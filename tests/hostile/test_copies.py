"""What a user names is copied up to the size that it had, holes as holes, and never from the kernel."""

import errno
import os
import re
import sys
import threading
import time
from pathlib import Path

import pytest

from traindeck.errors import NoRoom
from traindeck.runner.copying import copy_data, copy_file, free_bytes, is_of_kernel
from traindeck.runner.mirror import mirror
from traindeck.runner.order import Order, ScriptOrder
from traindeck.runner.program import Program
from traindeck.runs.imported import CopyBounds, CopyRefused, CopyUnfinished, copy_folder
from traindeck.sources.blobs import Blobs, Reserve
from traindeck.sources.reads import read_regular
from traindeck.sources.snapshot import Snapshots

HOLE = 1 << 36
TERABYTE = 1 << 40


def bounds(folder: Path, limit_bytes: int = 10_000_000, seconds: float = 60.0, reserve: int = 0) -> CopyBounds:
    return CopyBounds(limit_bytes, time.monotonic() + seconds, Reserve(folder, reserve))


def sparse(path: Path, size: int = HOLE) -> Path:
    """A file of a few bytes at its beginning, in its middle and at its end, and nothing else."""
    with path.open("wb") as file:
        for at in (0, size // 2, size - 3):
            file.seek(at)
            file.write(b"abc")
    return path


def allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


def mirrored(base: Path, attempt: Path, *args: str, reserve: int = 0) -> Path:
    (attempt / "work").mkdir(parents=True)
    script = ScriptOrder(Program(cwd=str(base), args=args))
    mirror(Order(1, 1, "", str(attempt), "", 1.0, script=script, disk_reserve_bytes=reserve))
    return attempt / "work"


@pytest.mark.parametrize(
    "path",
    ["/proc", "/proc/self/pagemap", "/proc/self/cwd", "/proc/self/root/etc/passwd", "/sys/kernel", "/dev/zero", "/dev/fd/0",
     "/dev/shm", "/tmp/../proc/1", "//proc/self/maps", "/proc/not/there"],
)  # fmt: skip
def test_what_lies_in_the_kernels_folders_is_told_from_files(path):
    assert is_of_kernel(path)


def test_a_link_to_the_kernels_folders_is_one_of_them_and_others_are_not(tmp_path):
    (tmp_path / "link").symlink_to("/proc/self")
    (tmp_path / "twice").symlink_to(tmp_path / "link")

    assert is_of_kernel(tmp_path / "twice")
    assert is_of_kernel(tmp_path / "twice" / "pagemap")
    assert not is_of_kernel(tmp_path)
    assert not is_of_kernel(tmp_path / "process")
    assert not is_of_kernel("/procfiles")


def test_a_file_that_is_told_to_be_empty_and_has_no_end_is_copied_as_empty(tmp_path):
    copy_file("/proc/self/pagemap", tmp_path / "copy")

    assert (tmp_path / "copy").stat().st_size == 0


def test_a_file_that_grows_faster_than_it_is_copied_is_copied_up_to_the_size_that_it_had(tmp_path):
    grows = tmp_path / "grows"
    grows.write_bytes(b"x" * 1_000_000)
    source, target = os.open(grows, os.O_RDONLY), os.open(tmp_path / "copy", os.O_RDWR | os.O_CREAT)
    with grows.open("ab") as file:
        copied = copy_data(source, target, 1_000_000, lambda size: file.write(b"y" * 2 * size) and file.flush())

    assert (copied, os.fstat(target).st_size) == (1_000_000, 1_000_000)


def test_a_file_that_is_cut_while_it_is_copied_ends_where_it_ends(tmp_path):
    shrinks = tmp_path / "shrinks"
    shrinks.write_bytes(b"x" * 9_000_000)
    source, target = os.open(shrinks, os.O_RDONLY), os.open(tmp_path / "copy", os.O_RDWR | os.O_CREAT)

    assert copy_data(source, target, 9_000_000, lambda _: os.truncate(shrinks, 5_000_000)) <= 5_000_000


def test_holes_stay_holes(tmp_path):
    copy_file(sparse(tmp_path / "sparse"), tmp_path / "copy")

    assert (tmp_path / "copy").stat().st_size == HOLE
    assert allocated(tmp_path / "copy") < 1_000_000
    with (tmp_path / "copy").open("rb") as file:
        for at in (0, HOLE // 2, HOLE - 3):
            file.seek(at)
            assert file.read(3) == b"abc"


def test_a_file_that_ends_in_a_hole_has_its_size(tmp_path):
    (tmp_path / "hole").write_bytes(b"a")
    os.truncate(tmp_path / "hole", TERABYTE)
    copy_file(tmp_path / "hole", tmp_path / "copy")

    assert (tmp_path / "copy").stat().st_size == TERABYTE
    assert allocated(tmp_path / "copy") < 1_000_000


def test_a_copy_that_fails_leaves_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for source in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "missing"):
        with pytest.raises(OSError, match=re.escape(str(source))):
            copy_file(source, tmp_path / "copy")
        assert not (tmp_path / "copy").exists()


# The mirror of a working folder.


def test_a_project_of_the_kernel_is_not_mirrored(tmp_path):
    assert list(mirrored(Path("/proc/self"), tmp_path / "attempt").iterdir()) == []

    (tmp_path / "link").symlink_to("/proc/self")
    assert list(mirrored(tmp_path / "link", tmp_path / "other").iterdir()) == []


def test_links_to_files_of_the_kernel_are_links_in_the_mirror_too(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    for name in ("pagemap", "environ", "model.pt"):
        (base / name).symlink_to(f"/proc/self/{name}" if name != "model.pt" else "/proc/self/mem")
    work = mirrored(base, tmp_path / "attempt", "pagemap", "--from=model.pt")

    assert all((work / name).is_symlink() for name in ("pagemap", "environ", "model.pt"))


def test_the_root_as_working_folder_leads_to_the_kernels_folders_by_links(tmp_path):
    work = mirrored(Path("/"), tmp_path / "attempt")

    assert (work / "proc").is_symlink()
    assert (work / "sys").is_symlink() or not Path("/sys/kernel").exists()
    assert sum(file.stat().st_size for file in work.rglob("*") if not file.is_symlink()) < 100_000_000


def test_a_large_sparse_checkpoint_is_linked_and_a_small_one_keeps_its_holes(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    sparse(base / "large.pt")
    sparse(base / "small.pt", 50_000_000)
    work = mirrored(base, tmp_path / "attempt")

    assert (work / "large.pt").is_symlink()
    assert (work / "small.pt").stat().st_size == 50_000_000
    assert allocated(work / "small.pt") < 1_000_000


def test_below_the_reserve_files_are_linked_instead_of_copied(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.yaml").write_text("lr: 1")
    work = mirrored(base, tmp_path / "attempt", reserve=TERABYTE * 1000)

    assert (work / "config.yaml").is_symlink()


# The code that is kept at launch.


@pytest.mark.parametrize("path", ["/proc/self/pagemap", "/proc/self/maps", "/proc/meminfo"])
def test_what_is_told_to_be_empty_is_read_as_empty(path):
    assert read_regular(path, 10_000_000)[0] == b""


def test_a_file_that_never_stops_growing_is_read_up_to_a_size_that_it_had(tmp_path):
    grows, stop = tmp_path / "grows.py", threading.Event()
    grows.write_bytes(b"#" * 1000)

    def grow() -> None:
        with grows.open("ab", buffering=0) as file:
            while not stop.is_set() and grows.stat().st_size < 5_000_000:
                file.write(b"#" * 500)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        content, info = read_regular(str(grows), 10_000_000)
    finally:
        stop.set()
        thread.join()

    assert 1000 <= len(content) <= info.st_size


def test_files_that_grow_between_the_look_and_the_copy_are_not_all_kept(tmp_path, monkeypatch):
    base = tmp_path / "project"
    base.mkdir()
    for number in range(30):
        (base / f"module_{number:02}.py").write_text("x = 1")
    blobs = Blobs(tmp_path / "code")
    blobs.prepare()
    from traindeck.sources import snapshot

    found = snapshot.project_files(str(base))
    for file in base.iterdir():
        file.write_bytes(os.urandom(10) + b"#" * 1_900_000)
    monkeypatch.setattr(snapshot, "project_files", lambda _root: found)
    tree = Snapshots(blobs).take(Program(kind="command", cwd=str(base), command=("true",)))

    assert tree is not None
    assert not tree.complete
    assert tree.size < 25_000_000


def test_nothing_is_kept_that_would_touch_the_reserve(tmp_path):
    blobs = Blobs(tmp_path / "code", reserve_bytes=TERABYTE * 1000)
    blobs.prepare()
    (tmp_path / "file").write_text("x")

    with pytest.raises(NoRoom, match="TRAINDECK_DISK_RESERVE_MB") as error:
        blobs.put_bytes(b"x")
    with pytest.raises(NoRoom):
        blobs.put_file(tmp_path / "file")

    assert error.value.errno == errno.ENOSPC
    assert list(blobs.partial.iterdir()) == []


def test_what_is_kept_already_needs_no_room(tmp_path):
    blobs = Blobs(tmp_path / "code")
    blobs.prepare()
    digest = blobs.put_bytes(b"x")
    blobs.reserve.bytes = TERABYTE * 1000

    assert blobs.put_bytes(b"x") == digest


# Imports with `copy`.


def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    (folder / "sub").mkdir(parents=True)
    (folder / "events.out.tfevents.1").write_bytes(b"a" * 1000)
    (folder / "sub" / "events.out.tfevents.2").write_bytes(b"b" * 1000)
    return folder


def test_a_folder_is_copied_without_links_pipes_devices_and_hidden_files(tmp_path):
    folder = logs(tmp_path)
    os.mkfifo(folder / "events.out.tfevents.pipe")
    (folder / "events.out.tfevents.link").symlink_to("/proc/self/pagemap")
    (folder / "folder").symlink_to("/proc")
    (folder / ".hidden").write_text("x")
    copy_folder(folder, tmp_path / "copy", bounds(tmp_path))

    found = sorted(str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*"))
    assert found == ["events.out.tfevents.1", "sub", "sub/events.out.tfevents.2"]
    assert (tmp_path / "copy/sub/events.out.tfevents.2").read_bytes() == b"b" * 1000


def test_a_folder_that_is_too_large_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(CopyRefused, match="import it without copy"):
        copy_folder(logs(tmp_path), tmp_path / "copy", bounds(tmp_path, limit_bytes=1500))

    assert not (tmp_path / "copy").exists()


def test_holes_count_for_nothing_and_stay_holes(tmp_path):
    folder = logs(tmp_path)
    sparse(folder / "events.out.tfevents.3")
    copy_folder(folder, tmp_path / "copy", bounds(tmp_path))

    assert (tmp_path / "copy/events.out.tfevents.3").stat().st_size == HOLE
    assert allocated(tmp_path / "copy/events.out.tfevents.3") < 1_000_000


def test_a_folder_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("traindeck.runs.imported.MAX_FILES", 1)
    with pytest.raises(CopyRefused, match="files"):
        copy_folder(logs(tmp_path), tmp_path / "copy", bounds(tmp_path))


def test_a_copy_that_would_touch_the_reserve_leaves_nothing(tmp_path):
    with pytest.raises(NoRoom):
        copy_folder(logs(tmp_path), tmp_path / "copy", bounds(tmp_path, reserve=TERABYTE * 1000))

    assert not (tmp_path / "copy").exists()


def test_a_copy_whose_time_is_up_goes_on_where_it_was(tmp_path, monkeypatch):
    folder = logs(tmp_path)
    clock = iter([0.0, 0.0, 0.0, 0.0, 0.0, 100.0])
    limited = CopyBounds(10_000, 50.0, Reserve(tmp_path))
    monkeypatch.setattr("traindeck.runs.imported.time.monotonic", lambda: next(clock, 100.0))
    with pytest.raises(CopyUnfinished):
        copy_folder(folder, tmp_path / "copy", limited)
    first = {path: path.stat().st_ino for path in (tmp_path / "copy").rglob("events*")}
    monkeypatch.undo()
    copy_folder(folder, tmp_path / "copy", bounds(tmp_path))

    assert len(first) == 1
    assert all(path.stat().st_ino == inode for path, inode in first.items())
    assert len(list((tmp_path / "copy").rglob("events*"))) == 2


def test_a_file_that_takes_longer_than_the_time_that_there_is_is_refused(tmp_path, monkeypatch):
    clock = iter([0.0, 0.0, 100.0])
    monkeypatch.setattr("traindeck.runs.imported.time.monotonic", lambda: next(clock, 100.0))
    with pytest.raises(CopyRefused, match="without copy"):
        copy_folder(logs(tmp_path), tmp_path / "copy", CopyBounds(10_000, 50.0, Reserve(tmp_path)))


def test_free_bytes_are_those_above_the_reserve(tmp_path):
    assert free_bytes(tmp_path, 0) > free_bytes(tmp_path, 1_000_000) - 1_000_000
    assert free_bytes(tmp_path, sys.maxsize) == 0
