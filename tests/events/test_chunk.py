"""Many records at once are read as one by one."""

import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import crc32c
import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event

from boards.more_logs import point, value, write_events
from traindeck.boards.chain import PLAIN
from traindeck.events.chunk import read_chunk
from traindeck.events.records import edges, masked_crc, masked_crcs

RECORDS = 4_000


def plainly(data: bytes) -> list[int]:
    """Where records begin and the last whole one ends, from one length to the next."""
    found, at = [0], 0
    while at + 16 <= len(data) and (at := at + struct.unpack_from("<Q", data, at)[0] + 16) <= len(data):
        found.append(at)
    return found


def loop(tmp_path: Path, tags: int) -> bytes:
    """What a training loop with so many tags of different length writes."""
    names = ["t" * (number % 7 + 1) + str(number) for number in range(tags)]
    events = [point(step, value(name, step)) for step in range(RECORDS // tags) for name in names]
    return write_events(tmp_path, events).read_bytes()


def numbers(data: bytes) -> list[tuple[int, str, float]]:
    """Step, tag and value of each plain scalar, read by TensorFlow's own messages, up to a bad checksum."""
    found = []
    ends = plainly(data)
    for begin, end in pairwise(ends):
        record = data[begin + 12 : end - 4]
        if masked_crc(record) != struct.unpack("<I", data[end - 4 : end])[0]:
            break
        event: Any = Event.FromString(record)
        found += [(event.step, each.tag, each.simple_value) for each in event.summary.value]
    return found


def read(data: bytes) -> list[tuple[int, str, float]]:
    """The same from a chunk; each point is in the columns or among the others."""
    chunk = read_chunk(data, PLAIN)
    points = chunk.columns.batch()
    order = zip(points.records.tolist(), points.rows.tolist(), points.numbers.tolist(), strict=True)
    found = [(record, (row[0], points.tags[number], row[2])) for record, row, number in order]
    for record, content in chunk.others:
        event: Any = Event.FromString(content)
        found += [(record, (event.step, each.tag, each.simple_value)) for each in event.summary.value]
    return [scalar for _, scalar in sorted(found)]


@pytest.mark.parametrize("tags", [1, 3, 10, 63, 200])
@pytest.mark.parametrize("cut", [0, 1, 17])
def test_records_are_found_in_any_rhythm(tmp_path: Path, tags: int, cut: int) -> None:
    data = loop(tmp_path, tags)[: -cut or None]
    assert edges(data).tolist() == plainly(data)
    assert read(data) == numbers(data)


@pytest.mark.parametrize("before", [*range(125, 132), *range(1_149, 1_155)])
def test_records_are_found_where_the_rhythm_breaks_as_it_is_first_predicted(before: int) -> None:
    data = b"".join(struct.pack("<Q", size) + bytes(size + 8) for size in [30] * before + [31] * 300)
    assert edges(data).tolist() == plainly(data)


def test_records_of_random_length_are_found() -> None:
    random = np.random.default_rng(0)
    data = b"".join(struct.pack("<Q", size) + bytes(size + 8) for size in random.integers(0, 40, 3_000).tolist())
    assert edges(data).tolist() == plainly(data)


@pytest.mark.parametrize("length", [1, 2, 31, 512])
def test_checksums_of_columns_are_those_of_each_record(length: int) -> None:
    records = np.random.default_rng(length).integers(0, 256, (50, length), np.uint8)
    records[:, length // 2] = 7
    assert masked_crcs(np.ascontiguousarray(records.T)).tolist() == [masked_crc(row.tobytes()) for row in records]
    assert crc32c.crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("place", [0.01, 0.4, 0.9])
@pytest.mark.parametrize("byte", [0, 8, 13, 30])
def test_nothing_behind_a_flipped_bit_is_read(tmp_path: Path, place: float, byte: int) -> None:
    data = loop(tmp_path, 3)
    ends = plainly(data)
    record = int(place * len(ends))
    broken = bytearray(data)
    broken[ends[record] + byte] ^= 0x04
    chunk = read_chunk(bytes(broken), PLAIN)
    assert chunk.used_bytes == ends[record]
    assert chunk.corrupt is not None
    assert read(bytes(broken)) == numbers(data)[: record - 1]
