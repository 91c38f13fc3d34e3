"""The scalars of many records at once are those that the generated classes find one by one."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.util.tensor_util import make_ndarray, make_tensor_proto

from events.eventfiles import Point, frame
from traindeck.events.attemptreader import Batch, Rule, read_batch
from traindeck.events.chunk import read_chunk
from traindeck.events.eventfile import SCALARS as SCALAR_RECORDS

WITH_RESTARTS = Rule(says_restarts=True)
SCALARS = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))

values = st.floats(width=32) | st.sampled_from([0.0, math.nan, math.inf, -math.inf])
tags = st.sampled_from(["a", "b", "Loss/train", "Loss/valid", "é" * 40, "x" * 200]) | st.text(max_size=6)
steps = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300)
dtypes = st.sampled_from([np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_])


def tensor_value(tag: str, number: float, dtype: type[np.generic]) -> Summary.Value:
    if not issubclass(dtype, np.floating):
        number = -7 if issubclass(dtype, np.signedinteger) else 1
    return Summary.Value(tag=tag, tensor=make_tensor_proto(np.array(number, dtype)), metadata=SCALARS)


simple = st.builds(lambda tag, value: Summary.Value(tag=tag, simple_value=value), tags, values)
tensors = st.builds(tensor_value, tags, values, dtypes)
others = st.sampled_from(
    [
        Summary.Value(tag="image", image=Summary.Image(height=1, width=1, encoded_image_string=b"\x89PNG" * 30)),
        Summary.Value(tag="histogram", histo=HistogramProto(min=0, max=1, num=2, bucket=[1, 2], bucket_limit=[0, 1])),
        Summary.Value(tag="text", tensor=TensorProto(dtype="DT_STRING", string_val=[b"words"])),
        Summary.Value(tag="two numbers", tensor=make_tensor_proto([1.0, 2.0]), metadata=SCALARS),
        Summary.Value(tag="no plugin", tensor=make_tensor_proto(1.0)),
    ]
)
summaries = st.builds(lambda found: Summary(value=found), st.lists(simple | tensors | others, max_size=3))
plain = st.builds(lambda tag, value: Summary(value=[Summary.Value(tag=tag, simple_value=value)]), tags, values)
events = st.builds(
    lambda wall, step, summary: Event(wall_time=wall, step=step, summary=summary),
    st.floats(0, 2e9) | st.just(0.0),
    steps,
    summaries | plain,
)


def batch_of(contents: list[bytes], rule: Rule = WITH_RESTARTS) -> Batch:
    return read_batch(read_chunk(b"".join(map(frame, contents)), SCALAR_RECORDS), rule)


def batched(contents: list[bytes]) -> dict[str, list[Point]]:
    points, found = batch_of(contents).points, defaultdict(list)
    for number, point in zip(points.numbers.tolist(), points.rows.tolist(), strict=True):
        if number not in points.undeclared:
            found[points.tags[number]].append(point)
    return dict(found)


def one_by_one(contents: list[bytes]) -> dict[str, list[Point]]:
    found = defaultdict(list)
    for content in contents:
        event = Event.FromString(content)
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found[value.tag].append((event.step, event.wall_time, value.simple_value))
            elif value.HasField("tensor") and value.metadata.plugin_data.plugin_name == "scalars":
                array = make_ndarray(value.tensor)
                if array.size == 1:
                    found[value.tag].append((event.step, event.wall_time, float(array.item())))
    return dict(found)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(events, max_size=12), st.integers(1, 12))
def test_any_mixture_of_events_gives_the_same_points_in_the_same_order(found: list[Event], times: int) -> None:
    contents = [event.SerializeToString() for event in found] * times
    assert repr(batched(contents)) == repr(in_order_of_first_point(one_by_one(contents), batched(contents)))


def in_order_of_first_point(points: dict[str, list[Point]], like: dict[str, list[Point]]) -> dict:
    assert points.keys() == like.keys()
    return {tag: points[tag] for tag in like}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=30))
def test_bytes_that_are_no_events_add_nothing_and_raise_nothing(contents: list[bytes]) -> None:
    batch_of(contents)


@pytest.mark.parametrize("count", [127, 128, 300, 20_000])
def test_a_long_run_of_interleaved_tags_keeps_the_order_of_each(count: int) -> None:
    contents = [
        Event(
            wall_time=i / 8,
            step=i,
            summary=Summary(value=[Summary.Value(tag=f"tag{i % 3}", simple_value=i)]),
        ).SerializeToString()
        for i in range(count)
    ]
    assert batched(contents) == {f"tag{tag}": [(i, i / 8, float(i)) for i in range(tag, count, 3)] for tag in range(3)}


def test_a_restart_withdraws_earlier_points_from_its_step_on() -> None:
    def at(step: int) -> bytes:
        summary = Summary(value=[Summary.Value(tag="loss", simple_value=step)])
        return Event(step=step, summary=summary).SerializeToString()

    start = Event(step=12, session_log=SessionLog(status=SessionLog.START)).SerializeToString()
    contents = [*map(at, range(20)), start, *map(at, range(12, 15))]
    batch = batch_of(contents)
    assert batch.points.rows["step"].tolist() == list(range(15))
    assert batch.withdrawn_from == 12
