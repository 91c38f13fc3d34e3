"""A store survives crashes, deletion, foreign hands and full disks, and is read while it is written."""

import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from events.eventfiles import NAME, accumulated, read_all, scalar, stored, version, write
from traindeck.events.series import list_series, read_series
from traindeck.events.store import SeriesStore
from traindeck.events.storestate import read_snapshot, write_state
from traindeck.events.tail import AttemptTail, catch_up


def more(work: Path, first: int, count: int, tags: tuple[str, ...] = ("loss", "lr")) -> None:
    steps = range(first, first + count)
    write(work / NAME, *(scalar(tag, step, step + place) for step in steps for place, tag in enumerate(tags)))


def test_a_store_is_gone_on_with_where_it_was_left(work: Path, store: Path) -> None:
    for part in range(5):
        more(work, part * 30, 30)
        update = catch_up(work, store, 60)
        assert (update.new_points, update.changed["loss"].count) == (60, part * 30 + 30)
    assert stored(store) == accumulated(work)
    assert catch_up(work, store, 60).new_points == 0


def test_rows_written_before_a_crash_but_not_counted_are_written_again(work: Path, store: Path) -> None:
    more(work, 0, 30)
    catch_up(work, store, 60)
    old = (store / "state").read_bytes()
    more(work, 30, 100, ("loss", "another", "lr"))
    catch_up(work, store, 60)
    (store / "state").write_bytes(old)
    assert len(stored(store)["loss"]) == 30
    more(work, 130, 3)
    assert catch_up(work, store, 60).problems == []
    assert stored(store) == accumulated(work)


TAIL = """
import sys
from pathlib import Path
from traindeck.events import tail
tail.READ_SECONDS = 0
with tail.AttemptTail(Path(sys.argv[1]), Path(sys.argv[2])) as follower:
    while not follower.poll(rescan=True).caught_up:
        print("polled", flush=True)
"""


def test_a_tail_killed_at_any_moment_leaves_a_store_to_go_on_with(work: Path, store: Path) -> None:
    write(work / NAME, version())
    more(work, 0, 50_000, ("a", "b"))
    for polls in range(4):
        command = [sys.executable, "-c", TAIL, str(work), str(store)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
            assert tail.stdout is not None
            for _ in range(polls + 1):
                tail.stdout.readline()
            tail.kill()
        assert all(summary.count == len(stored(store)[tag]) for tag, summary in list_series(store).items())
    assert catch_up(work, store, 60).problems == []
    assert stored(store) == accumulated(work)


def damaged(store: Path, kind: str) -> None:
    (file,) = store.glob(f"{kind}*")
    if kind == "state":
        file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    else:
        file.write_bytes(file.read_bytes()[:5])


@pytest.mark.parametrize("kind", ["state", "names", "extents", "points"])
def test_a_damaged_store_is_made_anew_from_the_event_files(work: Path, store: Path, kind: str) -> None:
    more(work, 0, 30)
    catch_up(work, store, 60)
    damaged(store, kind)
    assert list_series(store) == {}
    assert catch_up(work, store, 60).new_points == 60
    assert stored(store) == accumulated(work)
    assert len(list(store.iterdir())) == 5


@pytest.mark.parametrize("content", [b"", b"{}", b"\0" * 500, b"SQLite format 3\0"])
def test_a_foreign_state_is_not_trusted(work: Path, store: Path, content: bytes) -> None:
    more(work, 0, 3)
    store.mkdir()
    (store / "state").write_bytes(content)
    assert list_series(store) == {}
    assert catch_up(work, store, 60).changed["loss"].count == 3


def test_a_store_of_before_the_machine_started_again_is_made_anew(work: Path, store: Path) -> None:
    more(work, 0, 3)
    catch_up(work, store, 60)
    snapshot = read_snapshot(store)
    assert snapshot is not None
    write_state(store, replace(snapshot.header, boot="another"), snapshot.summaries)
    assert catch_up(work, store, 60).new_points == 6


def test_a_store_deleted_under_an_open_tail_is_made_anew(work: Path, store: Path) -> None:
    more(work, 0, 30)
    with AttemptTail(work, store) as tail:
        read_all(tail)
        shutil.rmtree(store)
        more(work, 30, 1)
        update = read_all(tail)
        assert update.changed["loss"].count == 31
        assert update.problems == []
    assert stored(store) == accumulated(work)


def test_only_one_tail_writes_a_store_at_a_time(work: Path, store: Path) -> None:
    more(work, 0, 3)
    with AttemptTail(work, store) as first, AttemptTail(work, store) as second:
        assert first.poll().new_points == 6
        refused = second.poll()
        assert (refused.new_points, refused.caught_up) == (0, True)
        assert refused.problems != []
        first.close()
        more(work, 3, 1)
        assert (second.poll().new_points, second.poll().problems) == (2, [])
    assert stored(store) == accumulated(work)


FULL = """
import resource, sys
from pathlib import Path
from traindeck.events.series import list_series
from traindeck.events.tail import AttemptTail

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

with AttemptTail(Path(sys.argv[1]), Path(sys.argv[2])) as tail:
    for size in (0, 100, 20_000):
        room(size)
        update = tail.poll(rescan=True)
        print(update.problems, update.caught_up, len(list_series(tail.store_folder)))
    room(resource.RLIM_INFINITY)
    update = tail.poll()
    print(update.problems, update.caught_up, list_series(tail.store_folder)["loss"].count)
"""


def test_a_full_disk_is_said_and_costs_no_point_once_there_is_room(work: Path, store: Path) -> None:
    more(work, 0, 3000)
    command = [sys.executable, "-c", FULL, str(work), str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    full = "['the chart data cannot be written: File too large'] True 0"
    assert done.stdout.splitlines() == [full, full, full, "[] True 3000"]
    assert stored(store) == accumulated(work)


def test_a_store_folder_that_cannot_be_made_holds_points_in_memory(work: Path, store: Path) -> None:
    more(work, 0, 3)
    store.write_text("a file in its place")
    with AttemptTail(work, store) as tail:
        update = tail.poll()
        assert (update.new_points, len(update.problems)) == (6, 1)
        assert update.changed["loss"].last == 2.0
        store.unlink()
        assert tail.poll().problems == []
    assert stored(store) == accumulated(work)


def test_a_reader_beside_the_writer_sees_only_whole_moments(work: Path, store: Path) -> None:
    tags = tuple(f"tag {i}" for i in range(20))
    more(work, 0, 1, tags)
    done = threading.Event()
    wrong: list[str] = []
    seen: set[int] = set()

    def read() -> None:
        while not done.is_set():
            for tag in tags[::7]:
                series = read_series(store, tag, points=100_000)
                seen.add(series.total)
                if series.steps != list(range(series.total)):
                    wrong.append(tag)

    reader = threading.Thread(target=read)
    reader.start()
    with AttemptTail(work, store) as tail:
        for part in range(30):
            more(work, 1 + part * 40, 40, tags)
            read_all(tail)
            deadline = time.monotonic() + 30
            while 1 + part * 40 + 40 not in seen:
                assert time.monotonic() < deadline
    done.set()
    reader.join(30)
    assert wrong == []
    assert stored(store) == accumulated(work)


def test_five_thousand_tags_use_no_more_files_than_one(work: Path, store: Path) -> None:
    tags = tuple(f"layer {i}/norm" for i in range(5000))
    more(work, 0, 4, tags)
    assert len(catch_up(work, store, 60).changed) == 5000
    assert len(list(store.iterdir())) == 5
    assert read_series(store, "layer 4321/norm").values == [4321.0, 4322.0, 4323.0, 4324.0]


def test_opening_a_store_reads_what_the_last_commit_left(store: Path) -> None:
    opened = SeriesStore.open(store)
    assert opened is not None
    assert opened.position == {}
    assert opened.commit({"files": []}) is None
    opened.close()
    again = SeriesStore.open(store)
    assert again is not None
    assert again.position == {"files": []}
    again.close()
