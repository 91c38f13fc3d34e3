"""Records of event files, whole, torn, corrupt and huge."""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from events.eventfiles import frame, masked
from traindeck.events.chunk import CHUNK_BYTES, Chunk, next_chunk

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


def read(descriptor: int, offset: int, at_once: int = CHUNK_BYTES) -> Chunk:
    return next_chunk(descriptor, offset, lambda _: True, 10_000, at_once)


def contents(chunk: Chunk) -> list[bytes]:
    assert chunk.columns.parts == []
    return [content for _, content in chunk.others]


def test_all_records_are_found_and_the_next_offset_is_behind_them(opened: Open) -> None:
    chunk = read(opened(WHOLE), 0)
    assert contents(chunk) == CONTENTS
    assert (chunk.used_bytes, chunk.corrupt) == (len(WHOLE), None)


@pytest.mark.parametrize("size", range(LAST, len(WHOLE)))
def test_a_record_torn_at_any_byte_is_left_for_later_and_is_no_corruption(opened: Open, size: int) -> None:
    chunk = read(opened(WHOLE[:size]), 0)
    assert contents(chunk) == CONTENTS[:-1]
    assert (chunk.used_bytes, chunk.corrupt) == (LAST, None)
    assert read(opened(WHOLE[:size]), LAST).used_bytes == 0
    assert contents(read(opened(WHOLE), LAST)) == CONTENTS[-1:]


@pytest.mark.parametrize("place", range(LAST, len(WHOLE)))
def test_a_flip_of_any_byte_of_a_record_is_found_and_the_records_before_it_stay(opened: Open, place: int) -> None:
    broken = bytearray(WHOLE + frame(b"behind"))
    broken[place] ^= 0x40
    chunk = read(opened(bytes(broken)), 0)
    assert contents(chunk) == CONTENTS[:-1]
    assert chunk.used_bytes == LAST
    part = "the length of a record" if place < LAST + 12 else "a record"
    assert chunk.corrupt == f"{part} does not match its checksum"


def test_a_file_that_is_no_event_file_is_called_corrupt_at_once(opened: Open) -> None:
    assert read(opened(b"#!/bin/sh\necho not an event file\n"), 0).corrupt is not None


def test_an_empty_file_and_one_of_a_few_bytes_wait_for_more(opened: Open) -> None:
    for size in range(12):
        chunk = read(opened(WHOLE[:size]), 0)
        assert (contents(chunk), chunk.used_bytes, chunk.corrupt) == ([], 0, None)


@pytest.mark.parametrize("limit", [28, 64, 100, 4096])
def test_reading_in_chunks_of_any_size_finds_the_same_records(opened: Open, limit: int) -> None:
    descriptor, found, offset = opened(b"".join(map(frame, CONTENTS * 20))), [], 0
    while (chunk := read(descriptor, offset, limit)).used_bytes:
        found += contents(chunk)
        offset += chunk.used_bytes
    assert found == CONTENTS * 20


def test_a_record_larger_than_a_chunk_is_read_by_itself_once_it_is_whole(opened: Open) -> None:
    large, small = frame(b"l" * 5000), frame(b"small")
    torn = read(opened((large + small)[:4000]), 0, 1000)
    assert (torn.used_bytes, torn.corrupt) == (0, None)
    chunk = read(opened(large + small), 0, 1000)
    assert (contents(chunk), chunk.used_bytes, chunk.is_too_large) == ([b"l" * 5000], len(large), False)


def test_a_record_too_large_to_be_read_is_stepped_over_once_it_is_whole(opened: Open) -> None:
    huge, small = frame(b"h" * 20_000), frame(b"small")
    assert read(opened((huge + small)[:15_000]), 0, 1000).used_bytes == 0
    chunk = read(opened(huge + small), 0, 1000)
    assert (contents(chunk), chunk.used_bytes, chunk.is_too_large) == ([], len(huge), True)
    assert contents(read(opened(huge + small), len(huge), 1000)) == [b"small"]


def test_a_large_record_that_fails_its_checksum_is_corrupt(opened: Open) -> None:
    broken = bytearray(frame(b"l" * 5000))
    broken[3000] ^= 1
    chunk = read(opened(bytes(broken)), 0, 1000)
    assert (chunk.used_bytes, chunk.corrupt) == (0, "a record does not match its checksum")


def test_a_length_beyond_any_file_waits_and_harms_nothing(opened: Open) -> None:
    length = struct.pack("<Q", 2**64 - 1)
    header = length + struct.pack("<I", masked(length))
    content = frame(b"good") + header + bytes(2000)
    chunk = read(opened(content), 0, 1000)
    assert contents(chunk) == [b"good"]
    rest = read(opened(content), chunk.used_bytes, 1000)
    assert (contents(rest), rest.used_bytes, rest.corrupt) == ([], 0, None)
