"""Series as charts get them: in order, thinned with their peaks, and only the new part where asked."""

import math
from pathlib import Path

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from events.eventfiles import NAME, frame, scalar, version, write
from traindeck.events import storestate
from traindeck.events.points import POINT
from traindeck.events.series import list_names, list_series, read_series
from traindeck.events.store import SeriesStore
from traindeck.events.table import SeriesKey
from traindeck.events.tail import catch_up


class Log:
    """A working folder with one event file, and its store."""

    def __init__(self, folder: Path) -> None:
        self.work, self.store = folder / "work", folder / "scalars"
        write(self.work / NAME, version())

    def write(self, steps: list[int], values: list[float], tag: str = "loss") -> None:
        pairs = zip(steps, values, strict=True)
        write(self.work / NAME, *(scalar(tag, step, value, 1000.0 + step) for step, value in pairs))
        catch_up(self.work, self.store, 60)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_a_short_series_is_given_whole(log: Log) -> None:
    log.write([1, 2, 3], [0.5, 0.25, 0.125])
    series = read_series(log.store, "loss")
    assert (series.steps, series.values) == ([1, 2, 3], [0.5, 0.25, 0.125])
    assert series.wall_times == [1001.0, 1002.0, 1003.0]
    assert (series.total, series.start, series.cursor) == (3, 0, 3)


def test_a_series_that_is_not_there_has_no_points(log: Log) -> None:
    assert read_series(log.store, "loss").steps == []
    log.write([1], [1.0])
    series = read_series(log.store, "loss/../loss")
    assert (series.steps, series.total, series.cursor) == ([], 0, 0)


@pytest.mark.parametrize("points", [1, 2, 3, 7, 8, 9, 50, 1000])
def test_a_long_series_is_thinned_to_the_points_asked_for(log: Log, points: int) -> None:
    log.write(list(range(5000)), [math.sin(step / 100) for step in range(5000)])
    series = read_series(log.store, "loss", points)
    assert 1 <= len(series.steps) <= points
    assert series.steps == sorted(set(series.steps))
    assert series.total == series.cursor == 5000
    assert points < 3 or (series.steps[0], series.steps[-1]) == (0, 4999)


def test_a_single_peak_among_many_points_stays(log: Log) -> None:
    values = [0.1] * 20_000
    values[13_333], values[17_777] = 50.0, -50.0
    log.write(list(range(20_000)), values)
    shown = read_series(log.store, "loss", 100)
    assert {50.0, -50.0} <= set(shown.values)


def test_nan_and_infinity_are_gaps_and_stay_when_thinned(log: Log) -> None:
    values = [float(step) for step in range(10_000)]
    values[4000:4100] = [math.nan] * 100
    values[7000] = math.inf
    log.write(list(range(10_000)), values)
    series = read_series(log.store, "loss", 100)
    pairs = zip(series.steps, series.values, strict=True)
    assert [step for step, value in pairs if value is None] == [4000, 7000]
    assert len(series.steps) <= 100


def test_a_series_of_nothing_but_nan_has_its_steps(log: Log) -> None:
    log.write(list(range(3000)), [math.nan] * 3000)
    series = read_series(log.store, "loss", 100)
    assert 1 <= len(series.steps) <= 100
    assert set(series.values) == {None}


def test_points_without_steps_are_thinned_in_the_order_of_writing(log: Log) -> None:
    log.write([0] * 4000, [float(place) for place in range(4000)])
    series = read_series(log.store, "loss", 100)
    assert set(series.steps) == {0}
    assert 50 <= len(series.values) <= 100
    assert series.values == sorted(value for value in series.values if value is not None)


def test_steps_out_of_order_come_in_order_and_of_one_step_the_earlier_first(log: Log) -> None:
    log.write([3, 1, 2, 1], [30.0, 10.0, 20.0, 11.0])
    series = read_series(log.store, "loss")
    assert (series.steps, series.values) == ([1, 1, 2, 3], [10.0, 11.0, 20.0, 30.0])


def test_extreme_steps_and_values_are_thinned_without_harm(log: Log) -> None:
    steps = [-(2**63), *range(3000), 2**63 - 1]
    log.write(steps, [3e38, *[1e-38] * 3000, -3e38])
    series = read_series(log.store, "loss", 100)
    assert (series.steps[0], series.steps[-1]) == (steps[0], steps[-1])


@pytest.mark.parametrize("first", [0, 2**62, 2**63 - 5000, -(2**63)])
def test_how_large_steps_are_does_not_change_which_points_are_kept(log: Log, first: int) -> None:
    values = [math.sin(step / 7) for step in range(5000)]
    log.write([first + step for step in range(5000)], values)
    log.write(list(range(5000)), values, "small")
    shown, small = read_series(log.store, "loss", 500), read_series(log.store, "small", 500)
    assert [step - first for step in shown.steps] == small.steps


def test_a_cursor_gives_only_what_came_since(log: Log) -> None:
    log.write([1, 2, 3], [1.0, 2.0, 3.0])
    first = read_series(log.store, "loss")
    again = read_series(log.store, "loss", since=first.cursor)
    assert (again.steps, again.start, again.cursor) == ([], 3, 3)
    log.write([4, 5], [4.0, 5.0])
    newer = read_series(log.store, "loss", since=first.cursor)
    assert (newer.steps, newer.start, newer.total, newer.cursor) == ([4, 5], 3, 5, 5)


def test_more_new_points_than_asked_for_are_thinned_too(log: Log) -> None:
    log.write(list(range(5000)), [float(step % 7) for step in range(5000)])
    series = read_series(log.store, "loss", 100, since=1000)
    assert len(series.steps) <= 100
    assert (series.steps[0], series.steps[-1], series.start) == (1000, 4999, 1000)


@pytest.mark.parametrize("cursor", [-1, 4, 2**39, 2**53 - 1, 10**30])
def test_a_cursor_of_another_series_gives_the_whole_one(log: Log, cursor: int) -> None:
    log.write([1, 2, 3], [1.0, 2.0, 3.0])
    series = read_series(log.store, "loss", since=cursor)
    assert (series.steps, series.start) == ([1, 2, 3], 0)


def test_a_cursor_from_before_a_restart_gives_the_whole_series(log: Log) -> None:
    log.write([1, 2, 3], [1.0, 2.0, 3.0])
    old = read_series(log.store, "loss").cursor
    start = Event(step=2, session_log=SessionLog(status=SessionLog.START))
    write(log.work / NAME, frame(start.SerializeToString()))
    log.write([2, 3, 4], [2.5, 3.5, 4.5])
    series = read_series(log.store, "loss", since=old)
    assert (series.steps, series.values, series.start) == ([1, 2, 3, 4], [1.0, 2.5, 3.5, 4.5], 0)
    assert series.cursor < 2**53
    assert read_series(log.store, "loss", since=series.cursor).steps == []


def test_a_series_of_millions_is_thinned_and_keeps_its_peak(log: Log) -> None:
    store = SeriesStore.open(log.store)
    assert store is not None
    one = store.table.create(SeriesKey("", "loss"), "loss")
    points = np.zeros(2_500_000, POINT)
    points["step"] = np.arange(len(points))
    points["value"][1_234_567] = 9.0
    store.table.add(np.full(len(points), one.number), points)
    assert store.commit({}) is None
    store.close()
    series = read_series(log.store, "loss", 50)
    assert len(series.steps) <= 50
    assert (series.steps[0], series.steps[-1], series.total) == (0, 2_499_999, 2_500_000)
    assert (1_234_567, 9.0) in zip(series.steps, series.values, strict=True)


def test_the_list_has_each_series_with_its_summary(log: Log) -> None:
    assert list_series(log.store) == {}
    log.write([1, 2], [2.0, 1.0])
    log.write([7], [0.5], "lr")
    listed = list_series(log.store)
    assert {tag: (one.last, one.step, one.count) for tag, one in listed.items()} == {
        "loss": (1.0, 2, 2),
        "lr": (0.5, 7, 1),
    }


def test_many_series_of_one_store_are_read_with_one_look_at_its_state(
    work: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(work / NAME, version(), *(scalar(f"tag {number}", 1, number) for number in range(50)))
    catch_up(work, store, 60)
    looks = []
    whole = storestate._read
    monkeypatch.setattr(storestate, "_read", lambda folder: looks.append(folder) or whole(folder))
    assert [read_series(store, f"tag {number}").values for number in range(50)] == [[number] for number in range(50)]
    assert len(list_names(store)) == 50
    assert looks == [store]
    write(work / NAME, scalar("tag 0", 2, 7))
    catch_up(work, store, 60)
    assert read_series(store, "tag 0").values == [0, 7]
