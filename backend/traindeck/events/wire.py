"""The protocol-buffer wire format, read by position: what a message holds is found without copying it.

Parsing every event with generated classes copies whole images to learn that they are no scalars, and
importing those classes costs the server 20 ms. The format is at https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED_SIZES = {FIXED64: 8, FIXED32: 4}
VARINT_LIMIT_BYTES = 10


class MalformedMessageError(ValueError):
    """The bytes are no message in the wire format."""


class Field(NamedTuple):
    """One field of a message: its number, its wire type, and where its content lies: data[start:end]."""

    number: int
    kind: int
    start: int
    end: int


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The unsigned number at `at`, and where it ends.

    Raises:
        MalformedMessageError: it does not end before `end`, or is longer than ten bytes.
    """
    value = shift = 0
    for position in range(at, min(end, at + VARINT_LIMIT_BYTES)):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position + 1
        shift += 7
    raise MalformedMessageError("a number does not end")


def write_varint(value: int) -> bytes:
    """The bytes of an unsigned number."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def signed(value: int) -> int:
    """An int64 from the unsigned number that stands for it."""
    return value - (1 << 64) if value >> 63 else value


def fields(data: bytes, start: int, end: int) -> Iterator[Field]:
    """The fields of the message in data[start:end], in their order.

    Raises:
        MalformedMessageError: a field runs over the end, or is of a kind that nobody writes any more.
    """
    at = start
    while at < end:
        key, at = read_varint(data, at, end)
        kind = key & 7
        if kind == VARINT:
            stop = read_varint(data, at, end)[1]
        elif kind == BYTES:
            size, at = read_varint(data, at, end)
            stop = at + size
        elif kind in FIXED_SIZES:
            stop = at + FIXED_SIZES[kind]
        else:
            raise MalformedMessageError(f"a field has the wire type {kind}")
        if stop > end:
            raise MalformedMessageError("a field runs over the end of its message")
        yield Field(key >> 3, kind, at, stop)
        at = stop
