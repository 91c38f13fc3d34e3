"""The fast reader gives what TensorBoard's own gives."""

import os
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing import data_ingester, plugin_event_accumulator

from boards.event_logs import write_scalars
from traindeck.boards.accumulator import BoardAccumulator
from traindeck.boards.chain import EventFileLoader
from traindeck.events.pointbatch import PointBatch

SAMPLES = data_ingester.DEFAULT_TENSOR_SIZE_GUIDANCE


def event_file(folder: Path) -> Path:
    """The one event file below a folder."""
    (path,) = folder.rglob("*tfevents*")
    return path


def steps(file: EventFileLoader) -> list[int]:
    """The steps of the scalars that one load gives."""
    found: list[int] = []
    for event in file.Load():
        if isinstance(event, PointBatch):
            found += (step for _, step, _, _ in event.in_order())
        elif event.summary.value:
            found.append(event.step)
    return found


@pytest.fixture
def scalars(tmp_path: Path) -> Path:
    write_scalars(tmp_path, [0.5, 0.25, float("nan"), 0.125])
    return event_file(tmp_path)


def test_an_accumulator_holds_the_same_with_either_reader(every_kind: Path, tmp_path: Path) -> None:
    write_scalars(tmp_path, [float(value) for value in range(2500)])
    write_scalars(tmp_path, [float("nan"), float("inf"), -1.0], "other")
    for folder in (every_kind / "logs", tmp_path):
        theirs = plugin_event_accumulator.EventAccumulator(str(folder), tensor_size_guidance=SAMPLES)
        ours = BoardAccumulator(str(folder))
        assert held(ours) == held(theirs)


def held(accumulator: plugin_event_accumulator.EventAccumulator) -> dict[str, Any]:
    """Graph, and every tag's metadata and tensors, all as bytes."""
    accumulator.Reload()
    found: dict[str, Any] = {"graph": accumulator.SerializedGraph()}
    for tag in accumulator.Tags()["tensors"]:
        events = accumulator.Tensors(tag)
        tensors = [(event.step, event.wall_time, event.tensor_proto.SerializeToString()) for event in events]
        found[tag] = (accumulator.SummaryMetadata(tag).SerializeToString(), tensors)
    return found


def test_a_second_load_gives_only_what_came_since(scalars: Path) -> None:
    whole = scalars.read_bytes()
    scalars.write_bytes(whole[: len(whole) // 2])
    file = EventFileLoader(str(scalars))
    first = steps(file)
    scalars.write_bytes(whole)
    assert first + steps(file) == [0, 1, 2, 3]
    assert first != [0, 1, 2, 3]
    assert steps(file) == []


@pytest.mark.parametrize("cut", [1, 4, 8, 13, 20])
def test_a_torn_last_record_is_left_for_later(scalars: Path, cut: int) -> None:
    whole = scalars.read_bytes()
    scalars.write_bytes(whole[:-cut])
    file = EventFileLoader(str(scalars))
    assert steps(file) == [0, 1, 2]
    scalars.write_bytes(whole)
    assert steps(file) == [3]


def test_points_before_a_corrupt_record_are_kept(scalars: Path) -> None:
    content = bytearray(scalars.read_bytes())
    content[-10] ^= 0xFF
    scalars.write_bytes(content)
    assert steps(EventFileLoader(str(scalars))) == [0, 1, 2]


def test_when_a_run_began_is_known_before_it_is_read_and_while_another_reads_it(scalars: Path) -> None:
    theirs = plugin_event_accumulator.EventAccumulator(str(scalars.parent))
    ours = BoardAccumulator(str(scalars.parent))
    with ours._generator_mutex:
        assert ours.FirstEventTimestamp() == theirs.FirstEventTimestamp()
    assert ours.chain.read_bytes == 0


def test_a_run_without_events_has_not_begun(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").touch()
    with pytest.raises(ValueError, match="no event yet"):
        BoardAccumulator(str(tmp_path)).FirstEventTimestamp()


def test_what_is_no_regular_file_reads_as_empty(tmp_path: Path, scalars: Path) -> None:
    pipe, link = tmp_path / "pipe.tfevents", tmp_path / "link.tfevents"
    os.mkfifo(pipe)
    link.symlink_to(scalars)
    assert [steps(EventFileLoader(str(path))) for path in (pipe, link, tmp_path, tmp_path / "gone")] == [[]] * 4


def test_a_file_of_something_else_reads_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "noise.tfevents"
    path.write_bytes(os.urandom(100_000))
    assert steps(EventFileLoader(str(path))) == []
