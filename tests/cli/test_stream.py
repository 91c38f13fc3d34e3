"""Server-sent events, from bytes."""

import pytest

from traindeck.cli.stream import ServerEvent, read_events, split_lines

STREAM = (
    b": a comment\r\n\r\n"
    b"event: open\r\ndata: {}\r\nretry: 1000\r\n\r\n"
    b'event: run\r\ndata: {"name": "\xe2\x80\xa8 \xc2\x85"}\r\n\r\n'
    b"data:one\r\ndata: two\r\n\r\n"
    b"event: nothing\r\n\r\n"
    b"event: run\r\ndata: cut off"
)
EVENTS = [
    ServerEvent("open", b"{}"),
    ServerEvent("run", b'{"name": "\xe2\x80\xa8 \xc2\x85"}'),
    ServerEvent("message", b"one\ntwo"),
]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_the_stream_is_cut_and_whatever_ends_its_lines(size: int, end: bytes) -> None:
    stream = STREAM.replace(b"\r\n", end)
    assert list(read_events(stream[at : at + size] for at in range(0, len(stream), size))) == EVENTS


def test_an_event_is_there_as_soon_as_its_empty_line_is() -> None:
    def chunks():
        yield b"data: first\r\r"
        raise AssertionError("read on before the event was handed out")

    assert next(read_events(chunks())) == ServerEvent("message", b"first")


def test_an_empty_chunk_between_the_halves_of_a_line_end_makes_no_line() -> None:
    assert list(split_lines([b"a\r", b"", b"\nb\n"])) == [b"a", b"b"]
