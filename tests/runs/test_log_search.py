"""Searching a log: what is shown is found, whatever lies between its bytes and wherever pieces are cut."""

import re
import tempfile
import time
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traindeck.runs.logsearch import LogSearch, Match, Needle, shown

PARTS = [
    b"\n", b"\n", b"\r", b"\r", b"ab", b"a", b"B", b"Ab", "é".encode(), "É".encode(), b"\xff", b"\x1b[31m", b"\x1b[0m",
    b"\x1b[1A", b"\x1b]0;ab\x07", b"\x1b", b"\x00", b"\t", b" ", b"[31m", b"31m", "\u202e".encode(),
]  # fmt: skip
TEXTS = ["ab", "a", "aba", "é", "[31m", "m", "31m", "b a", "[U+202E]", "\tab", "0;ab"]


OPEN: list[BinaryIO] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close what the test has opened."""
    yield
    while OPEN:
        OPEN.pop().close()


def search_of(content: bytes, text: str, **asked: int | bool) -> LogSearch:
    OPEN.append(tempfile.TemporaryFile())  # noqa: SIM115 (the fixture closes it)
    file = OPEN[-1]
    file.write(content)
    file.flush()
    given = {"start": 0, "until": None, "backwards": False, "limit": 1_000_000, **asked}
    return LogSearch(file, Needle(text), **given)  # type: ignore[arg-type]


def found(content: bytes, text: str, **asked: int | bool) -> list[Match]:
    search = search_of(content, text, **asked)
    matches: list[Match] = []
    while search.next is not None and search.limit:
        matches += search.go_on(1.0)
    search.close()
    return matches


def rows_with(content: bytes, text: str) -> list[int]:
    """The numbers of the lines that show the text, as the page reads them one by one."""
    lines = content.split(b"\n")
    last = [next((state for state in reversed(line.split(b"\r")) if state), b"") for line in lines]
    return [number for number, row in enumerate(last) if text.lower() in shown(row).lower()]


def line_of(content: bytes, match: Match) -> int:
    return content.count(b"\n", 0, match.offset)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=60), st.sampled_from(TEXTS))
def test_exactly_the_lines_that_show_the_text_are_found(parts: list[bytes], text: str) -> None:
    content = b"".join(parts)
    wanted = rows_with(content, text)

    assert [line_of(content, match) for match in found(content, text)] == wanted
    assert [line_of(content, match) for match in found(content, text, backwards=True)] == wanted[::-1]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=40), st.sampled_from(TEXTS), st.integers(1, 9))
def test_it_does_not_matter_where_pieces_are_cut(parts: list[bytes], text: str, piece: int) -> None:
    content = b"".join(parts)
    wanted = rows_with(content, text)
    for backwards in (False, True):
        search = search_of(content, text, backwards=backwards)
        lines = []
        while search.next is not None:
            search.step_bytes = piece
            lines += [line_of(content, match) for match in search.go_on(1e-9)]
        # A row that a piece cuts may be named twice where its text stands in it twice.
        assert sorted(set(lines)) == wanted
        search.close()


@pytest.mark.parametrize("shift", range(-8, 1))
@pytest.mark.parametrize("edge", [32_768, 65_536, 131_072, 131_072 + 262_144])
def test_a_match_in_a_line_without_an_end_is_found_wherever_it_stands(edge: int, shift: int) -> None:
    content = b"x" * (edge + shift) + b"needle" + b"y" * 500_000
    for backwards in (False, True):
        [match] = found(content, "NEEDLE", backwards=backwards)
        assert (match.offset, match.end) == (edge + shift, edge + shift + 6)
        assert "needle" in match.text
        assert len(match.text) <= 1000


def test_every_32_kb_of_a_line_without_an_end_has_its_match() -> None:
    content = b"needle" + b"".join(b"x" * 40_000 + b"needle" for _ in range(50))
    assert [match.offset for match in found(content, "needle")] == [40_006 * number for number in range(51)]


def test_what_a_bar_has_overwritten_is_not_found() -> None:
    content = b"before\n" + b"".join(b"\rstep %d of 9" % number for number in range(10)) + b"\r\nafter\nstep 3\n"
    assert [match.text for match in found(content, "step 3")] == ["step 3"]
    assert [match.text for match in found(content, "STEP")] == ["step 9 of 9", "step 3"]


def test_colors_may_stand_within_the_text() -> None:
    content = b"\x1b[1mlo\x1b[32mss\x1b[0m=\x1b[31mnan\x1b[0m\n"
    [match] = found(content, "loss=nan")
    assert match.text == "loss=nan"
    assert content[match.offset : match.end] == b"lo\x1b[32mss\x1b[0m=\x1b[31mnan"


def test_a_long_text_is_compared_whole() -> None:
    text = "a text that is longer than what is matched with colors in it"
    content = f"{text[:-1]}\n{text[:40]}\x1b[0m{text[40:]}\n".encode()
    assert [match.text for match in found(content, text)] == [text]


def test_a_search_is_bounded_by_what_was_asked_for() -> None:
    content = b"".join(b"hit %d\n" % number for number in range(10))
    assert [match.offset for match in found(content, "hit", start=6, until=30)] == [6, 12, 18, 24]
    assert [match.offset for match in found(content, "hit", start=7, until=18)] == [12]
    assert [match.offset for match in found(content, "hit", start=7, until=25, backwards=True)] == [24, 18, 12]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_search_that_has_found_enough_says_where_to_go_on(backwards: bool) -> None:
    content = b"".join(b"hit %d hit\n" % number for number in range(100))
    offsets: list[int] = []
    start, until = 0, len(content)
    while True:
        search = search_of(content, "hit", start=start, until=until, backwards=backwards, limit=7)
        while search.next is not None and search.limit:
            offsets += [match.offset for match in search.go_on(1.0)]
        if search.next is None:
            break
        start, until = (start, search.next) if backwards else (search.next, until)
    lines = [line for line, _ in re.findall(rb"((?m:^)hit)( \d+)", content)]
    assert len(offsets) == len(lines)
    assert offsets == sorted(offsets, reverse=backwards)


def test_a_log_that_grows_is_searched_to_its_end() -> None:
    search = search_of(b"nothing\n", "hit")
    assert search.go_on(1.0) == []
    assert search.next is None
    search.file.write(b"a hit\n")
    search.file.flush()
    assert [match.offset for match in search.go_on(1.0)] == [10]


def test_a_log_that_was_cut_short_meanwhile_is_at_its_end() -> None:
    search = search_of(b"x\n" * 500_000, "hit")
    search.go_on(1e-9)
    search.file.truncate(10)
    assert search.go_on(1.0) == []
    assert search.next is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a" * 1_000_000, "a" * 31 + "b"),
        (b"ab" * 500_000, "aaaab"),
        (b"\x1b[" * 300_000, "[["),
        (b"\x1b]" * 300_000, "]x"),
        (b"\x1b[31m" * 50_000, "31m"),
        (b"\r" * 1_000_000, "x"),
        (b"x\r" * 500_000 + b"y", "x"),
        (b"\x1b[m\n" * 30_000, "[m"),
        (b"x\n" * 60_000 + b"y" * 10, "x"),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_hostile_logs_take_a_time_in_proportion_to_their_size(content: bytes, text: str, backwards: bool) -> None:
    began = time.process_time()
    found(content, text, backwards=backwards, limit=100)
    assert time.process_time() - began < 20
