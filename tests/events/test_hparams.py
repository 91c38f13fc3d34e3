"""When a writer began, as the heads of its event files say."""

import math
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event

from events.eventfiles import NAME, frame, scalar, write
from traindeck.events.hparams import read_beginnings


def begun(*wall_times: float) -> bytes:
    version = Event(wall_time=wall_times[0], file_version="brain.Event:2").SerializeToString()
    return frame(version) + b"".join(scalar("loss", step, 1, time) for step, time in enumerate(wall_times[1:]))


@pytest.mark.parametrize("each", [1, 1e3, 1e6, 1e9])
def test_a_start_in_any_unit_is_in_seconds(work: Path, each: float) -> None:
    path = write(work / NAME, begun(1.7e9 * each, 1.8e9 * each))
    assert read_beginnings([path]).started == pytest.approx(1.7e9)


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan, 0.0, -5.0])
def test_events_without_a_time_are_passed_over(work: Path, odd: float) -> None:
    later = write(work / f"{NAME}.1", begun(odd, odd, 1.7e12, 1.8e9))
    earlier = write(work / f"{NAME}.2", begun(1.6e9))
    assert read_beginnings([later]).started == pytest.approx(1.7e9)
    assert read_beginnings([later, earlier]).started == pytest.approx(1.6e9)
    assert read_beginnings([write(work / f"{NAME}.3", begun(odd, odd))]).started is None
