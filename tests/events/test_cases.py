"""Event files as other writers leave them: each chart has what TensorBoard shows."""

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_HALF, DT_UINT32, DT_UINT64, DataType

from events.eventfiles import NAME, Point, frame, read_all, scalar, stored, version, write
from traindeck.events.eventfile import LARGE_LIMIT_BYTES
from traindeck.events.tail import AttemptTail, catch_up


def record(step: int, *values: Summary.Value, wall_time: float = 1.7e9) -> bytes:
    return frame(Event(wall_time=wall_time, step=step, summary=Summary(value=values)).SerializeToString())


def tensor(tag: str, content: TensorProto, plugin: str | None = "scalars") -> Summary.Value:
    value = Summary.Value(tag=tag, tensor=content)
    if plugin is not None:
        value.metadata.CopyFrom(SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin)))
    return value


def floats(*numbers: float) -> TensorProto:
    return TensorProto(dtype=1, float_val=numbers)


def values_of(points: list[Point]) -> list[float]:
    return [value for _, _, value in points]


def test_a_tag_that_names_its_plugin_once_has_all_of_its_points(work: Path, store: Path) -> None:
    first = record(
        0, tensor("loss", floats(0)), tensor("other", floats(0), "histograms"), tensor("none", floats(0), None)
    )
    more = [
        record(step, *(tensor(tag, floats(step), None) for tag in ("loss", "other", "none"))) for step in range(1, 40)
    ]
    write(work / NAME, version(), first, *more[:20])
    with AttemptTail(work, store) as tail:
        read_all(tail)
    # The rest comes after a restart of the server.
    write(work / NAME, *more[20:])
    with AttemptTail(work, store) as tail:
        read_all(tail)
    assert {name: values_of(points) for name, points in stored(store).items()} == {"loss": list(range(40))}


@pytest.mark.parametrize("old", [b"", frame(Event(file_version="brain.Event:1").SerializeToString())])
@pytest.mark.parametrize("at_once", [True, False])
def test_in_files_that_tell_of_no_restarts_a_step_back_is_one(
    work: Path, store: Path, tail: AttemptTail, old: bytes, at_once: bool
) -> None:
    steps = [*range(20), *range(10, 30), *range(5, 8)]
    records = [scalar(tag, step, place, 1.7e9 + place) for place, step in enumerate(steps) for tag in ("loss", "lr")]
    path = write(work / NAME, old, scalar("once", 15, 1))
    for one in [b"".join(records)] if at_once else records:
        write(path, one)
        read_all(tail)
    theirs = EventAccumulator(str(work), tensor_size_guidance={"scalars": 0})
    theirs.Reload()
    found = {tag: [step for step, _, _ in points] for tag, points in stored(store).items()}
    assert found == {tag: [event.step for event in theirs.Tensors(tag)] for tag in ("once", "loss", "lr")}
    assert found["loss"] == list(range(8))


@pytest.mark.parametrize("at_once", [True, False])
def test_a_version_holds_from_where_it_is_told_also_in_the_middle_of_a_file(
    work: Path, store: Path, tail: AttemptTail, at_once: bool
) -> None:
    def stretch(first: int) -> list[bytes]:
        steps = [*range(first, first + 20), *range(first + 10, first + 30)]
        return [scalar("loss", step, place, 1.7e9 + place) for place, step in enumerate(steps)]

    versions = [frame(Event(file_version=f"brain.Event:{number}").SerializeToString()) for number in (2, 1)]
    records = [*stretch(0), versions[0], *stretch(100), versions[1], *stretch(105)]
    for one in [b"".join(records)] if at_once else records:
        path = write(work / NAME, one)
        read_all(tail)
    theirs = EventAccumulator(str(path.parent), tensor_size_guidance={"scalars": 0})
    theirs.Reload()
    found = [step for step, _, _ in stored(store)["loss"]]
    assert found == [event.step for event in theirs.Tensors("loss")]
    assert found == [*range(30), *range(100, 135)]


@pytest.mark.parametrize(
    "kind", ["half", "half content", "uint32", "uint32 content", "uint64 content", "uint16 content"]
)
def test_tensor_scalars_of_any_type_have_their_values(work: Path, store: Path, kind: str) -> None:
    def content(value: int) -> TensorProto:
        name, _, raw = kind.partition(" ")
        number = {"half": np.float16(value / 2), "uint32": np.uint32(value + 2**31), "uint64": np.uint64(value + 2**33)}
        element = number.get(name, np.uint16(value + 2**15))
        types = {"half": DT_HALF, "uint32": DT_UINT32, "uint64": DT_UINT64}
        dtype = types.get(name, DataType.Value("DT_UINT16"))
        if raw:
            return TensorProto(dtype=dtype, tensor_content=element.tobytes())
        if name == "half":
            return TensorProto(dtype=dtype, half_val=[int(element.view(np.uint16))])
        return TensorProto(dtype=dtype, uint32_val=[int(element)])

    write(work / NAME, version(), *(record(step, tensor("x", content(step))) for step in range(30)))
    catch_up(work, store, 60)
    base = {"half": 0, "uint32": 2**31, "uint64": 2**33, "uint16": 2**15}[kind.partition(" ")[0]]
    expected = [step / 2 if kind.startswith("half") else base + step for step in range(30)]
    assert values_of(stored(store)["x"]) == expected


def test_scalars_beside_images_in_one_large_event_are_read(work: Path, store: Path, tail: AttemptTail) -> None:
    image = Summary.Value(tag="image", image=Summary.Image(encoded_image_string=b"x" * (3 << 20)))
    write(work / NAME, version(), scalar("a", 0, 0))
    for step in range(1, 4):
        values = [Summary.Value(tag=tag, simple_value=step) for tag in ("a", "b")]
        write(work / NAME, record(step, values[0], image, tensor("c", floats(step)), values[1]))
    assert read_all(tail).problems == []
    found = {name: values_of(points) for name, points in stored(store).items()}
    assert found == {"a": [0, 1, 2, 3], "b": [1, 2, 3], "c": [1, 2, 3]}


def test_a_large_event_that_is_corrupt_or_made_of_tiny_parts_ends_or_is_passed_over(
    work: Path, store: Path, tail: AttemptTail
) -> None:
    write(work / "a" / NAME, version(), frame(b"\x10\x01" * (1 << 20)), scalar("after", 1, 1))
    broken = bytearray(record(1, Summary.Value(tag="x", image=Summary.Image(encoded_image_string=b"x" * (2 << 20)))))
    broken[1 << 20] ^= 1
    write(work / "b" / NAME, version(), bytes(broken), scalar("lost", 1, 1))
    with (work / "a" / NAME).open("ab") as file:
        file.write(struct.pack("<Q", LARGE_LIMIT_BYTES + 1))
    update = read_all(tail)
    assert set(stored(store)) == {"after"}
    assert any("does not match its checksum" in problem for problem in update.problems)


@pytest.mark.parametrize(("unit", "each"), [("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)])
def test_wall_times_in_other_units_are_recognized_and_said(
    work: Path, store: Path, tail: AttemptTail, unit: str, each: float
) -> None:
    write(work / NAME, version(), *(scalar("loss", step, step, (1.7e9 + step) * each) for step in range(20)))
    [problem] = read_all(tail).problems
    assert unit in problem
    assert [wall_time for _, wall_time, _ in stored(store)["loss"]] == pytest.approx(
        [1.7e9 + step for step in range(20)]
    )


@pytest.mark.parametrize("wall_time", [math.inf, -math.inf, math.nan])
def test_wall_times_that_are_no_numbers_become_the_time_of_the_file(
    work: Path, store: Path, tail: AttemptTail, wall_time: float
) -> None:
    path = write(work / NAME, version(), scalar("loss", 1, 1, wall_time), scalar("loss", 2, 2))
    [problem] = read_all(tail).problems
    assert "finite" in problem
    assert [time for _, time, _ in stored(store)["loss"]] == [pytest.approx(path.stat().st_mtime), 1.7e9]


@pytest.mark.parametrize(
    ("magic", "kind"), [(b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip")]
)
def test_a_compressed_file_is_said_to_be_one(work: Path, tail: AttemptTail, magic: bytes, kind: str) -> None:
    write(work / f"{NAME}.gz", magic + b"\1" * 200)
    [problem] = read_all(tail).problems
    assert problem == f"{NAME}.gz: it is compressed ({kind}) and cannot be read; decompress it"
