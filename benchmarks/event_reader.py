"""A chart of a tag with a million points, the first time and after, against TensorBoard's own reader.

python -m benchmarks.event_reader
"""

import asyncio
import json
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from crc32c import crc32c
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from traindeck.events.series import list_series, read_series
from traindeck.events.tail import catch_up

POINTS = 1_000_000
TAG = "Loss/train"
NAME = "events.out.tfevents.1700000000.host.1.0"
DEADLINE_SECONDS = 120.0
CHARTS = 9
TICK_SECONDS = 0.001


def measure(points: int = POINTS, tensorboard_points: int | None = None) -> dict[str, float]:
    """Seconds that each way takes for a series of `points`; a minute, most of it TensorBoard's.

    Args:
        tensorboard_points: Let TensorBoard read so many only, and multiply.
    """
    with tempfile.TemporaryDirectory() as folder:
        work, store = Path(folder) / "work", Path(folder) / "scalars"
        size = write_points(work, points)
        first, longest_pause = asyncio.run(_first_chart(work, store))
        after = [_timed(lambda: read_series(store, TAG)) for _ in range(CHARTS)]
        assert list_series(store)[TAG].count == points
        less = tensorboard_points or points
        write_points(Path(folder) / "less", less)
        theirs = _timed(lambda: EventAccumulator(str(Path(folder) / "less"), {"scalars": 0}).Reload())
    return {
        "points": points,
        "event_file_megabytes": size / 1e6,
        "tensorboard_seconds": theirs * points / less,
        "first_chart_seconds": first,
        "next_chart_seconds": sorted(after)[CHARTS // 2],
        "longest_pause_of_the_event_loop_seconds": longest_pause,
    }


async def _first_chart(work: Path, store: Path) -> tuple[float, float]:
    """How long the first chart takes in a thread, and for how long an event loop beside it stood still at most."""
    done = asyncio.create_task(asyncio.to_thread(_timed, lambda: _chart(work, store)))
    longest = 0.0
    while not done.done():
        begun = time.perf_counter()
        await asyncio.sleep(TICK_SECONDS)
        longest = max(longest, time.perf_counter() - begun - TICK_SECONDS)
    return await done, longest


def _chart(work: Path, store: Path) -> None:
    catch_up(work, store, DEADLINE_SECONDS)
    read_series(store, TAG)


def _timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def write_points(folder: Path, points: int) -> int:
    """Write an event file of one scalar; returns its size in bytes."""
    folder.mkdir()
    with (folder / NAME).open("wb") as file:
        file.writelines(_records(points))
        return file.tell()


def _records(points: int) -> Iterator[bytes]:
    for step in range(points):
        value = Summary.Value(tag=TAG, simple_value=(step * 7919 % 1000) / 1000)
        event = Event(wall_time=1.7e9 + step / 100, step=step, summary=Summary(value=[value]))
        content = event.SerializeToString()
        length = struct.pack("<Q", len(content))
        yield length + _checksum(length) + content + _checksum(content)


def _checksum(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
