"""Records of event files, whole, torn, corrupt and huge."""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from events.eventfiles import frame, masked
from traindeck.events.records import Chunk, read_chunk

CONTENTS = [b"first", b"", b"x" * 300, b"the last one"]
WHOLE = b"".join(map(frame, CONTENTS))
LAST = len(WHOLE) - len(frame(CONTENTS[-1]))

Open = Callable[[bytes], int]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    descriptors = []

    def open_with(content: bytes) -> int:
        path = tmp_path / "records"
        path.write_bytes(content)
        descriptors.append(os.open(path, os.O_RDONLY))
        return descriptors[-1]

    yield open_with
    for descriptor in descriptors:
        os.close(descriptor)


def contents(chunk: Chunk) -> list[bytes]:
    places = zip(chunk.starts.tolist(), chunk.lengths.tolist(), strict=True)
    return [chunk.data[start : start + length] for start, length in places]


def test_all_records_are_found_and_the_next_offset_is_behind_them(opened: Open) -> None:
    chunk = read_chunk(opened(WHOLE), 0)
    assert contents(chunk) == CONTENTS
    assert (chunk.next_offset, chunk.exhausted, chunk.corrupt) == (len(WHOLE), True, None)


@pytest.mark.parametrize("size", range(LAST, len(WHOLE)))
def test_a_record_torn_at_any_byte_is_left_for_later_and_is_no_corruption(opened: Open, size: int) -> None:
    chunk = read_chunk(opened(WHOLE[:size]), 0)
    assert contents(chunk) == CONTENTS[:-1]
    assert (chunk.next_offset, chunk.exhausted, chunk.corrupt) == (LAST, True, None)
    assert contents(read_chunk(opened(WHOLE), chunk.next_offset)) == CONTENTS[-1:]


@pytest.mark.parametrize("place", range(LAST, len(WHOLE)))
def test_a_flip_of_any_byte_of_a_record_is_found_and_the_records_before_it_stay(opened: Open, place: int) -> None:
    broken = bytearray(WHOLE + frame(b"behind"))
    broken[place] ^= 0x40
    chunk = read_chunk(opened(bytes(broken)), 0)
    assert contents(chunk) == CONTENTS[:-1]
    assert chunk.next_offset == LAST
    assert chunk.corrupt is not None
    assert f"at byte {LAST}" in chunk.corrupt


def test_a_file_that_is_no_event_file_is_called_corrupt_at_once(opened: Open) -> None:
    assert read_chunk(opened(b"#!/bin/sh\necho not an event file\n"), 0).corrupt is not None


def test_an_empty_file_and_one_of_a_few_bytes_wait_for_more(opened: Open) -> None:
    for size in range(12):
        chunk = read_chunk(opened(WHOLE[:size]), 0)
        assert (contents(chunk), chunk.exhausted, chunk.corrupt) == ([], True, None)


@pytest.mark.parametrize("limit", [28, 64, 100, 4096])
def test_reading_in_chunks_of_any_size_finds_the_same_records(opened: Open, limit: int) -> None:
    short = [content for content in CONTENTS * 20 if len(content) + 16 <= limit]
    descriptor, found, offset = opened(b"".join(map(frame, CONTENTS * 20))), [], 0
    while not (chunk := read_chunk(descriptor, offset, limit)).exhausted:
        found += contents(chunk)
        offset = chunk.next_offset
    assert found + contents(chunk) == short


def test_a_record_larger_than_a_chunk_is_stepped_over_once_it_is_whole(opened: Open) -> None:
    huge, small = frame(b"h" * 5000), frame(b"small")
    torn = read_chunk(opened((huge + small)[:4000]), 0, 1000)
    assert (torn.next_offset, torn.exhausted) == (0, True)
    chunk = read_chunk(opened(huge + small), 0, 1000)
    assert (contents(chunk), chunk.next_offset, chunk.exhausted) == ([], len(huge), False)


def test_a_length_beyond_any_file_waits_and_harms_nothing(opened: Open) -> None:
    length = struct.pack("<Q", 2**64 - 1)
    header = length + struct.pack("<I", masked(length))
    chunk = read_chunk(opened(frame(b"good") + header + bytes(2000)), 0, 1000)
    assert contents(chunk) == [b"good"]
    rest = read_chunk(opened(frame(b"good") + header + bytes(2000)), chunk.next_offset, 1000)
    assert (contents(rest), rest.exhausted, rest.corrupt) == ([], True, None)
