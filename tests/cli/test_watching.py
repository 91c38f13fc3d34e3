"""A run is watched through the deck's event stream, and while its deck is away."""

import pytest

from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.follow import Patience, ServerEvent, read_events, retry_while_away, split_lines

AWAY = CommandFailed("no deck answers", Exit.UNREACHABLE)


def test_a_deck_that_stays_away_is_given_up() -> None:
    with pytest.raises(CommandFailed, match="no deck answers"):
        Patience(seconds=0).wait(AWAY)


def test_a_refusal_is_not_asked_for_again() -> None:
    with pytest.raises(CommandFailed, match="no such run"):
        Patience().wait(CommandFailed("no such run", Exit.NOT_FOUND))


def test_what_works_at_the_second_try_works() -> None:
    tries = iter([AWAY, None])

    def act() -> str:
        failure = next(tries)
        if failure:
            raise failure
        return "done"

    assert retry_while_away(act) == "done"


def test_patience_is_counted_from_the_last_answer() -> None:
    patience = Patience(seconds=30)
    patience.wait(AWAY)
    patience.seconds = 0
    patience.reset()
    with pytest.raises(CommandFailed):
        patience.wait(AWAY)


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
