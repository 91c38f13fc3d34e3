"""Reads server-sent events (HTML Living Standard, 9.2.6) from the bytes of an answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name, and its data."""

    name: str
    data: bytes


def read_events(chunks: Iterable[bytes]) -> Iterator[ServerEvent]:
    """The events of a stream, however it is cut into chunks; one that the end cuts off is dropped."""
    name, data = "message", list[bytes]()
    for line in split_lines(chunks):
        if not line:
            if data:
                yield ServerEvent(name, b"\n".join(data))
            name, data = "message", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Lines that `\n`, `\r\n` or `\r` ends, each as soon as its end is there.

    Nothing else ends a line: in JSON, U+2028 and its like stand as they are.
    """
    rest, after_return = b"", False
    for chunk in chunks:
        # The second half of a pair whose first half has ended a line already.
        chunk = chunk[1:] if after_return and chunk[:1] == b"\n" else chunk
        after_return = chunk[-1:] == b"\r" or (after_return and not chunk)
        *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        yield from lines
