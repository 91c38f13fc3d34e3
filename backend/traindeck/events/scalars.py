"""The scalars of one event, found by position in its bytes; images, histograms and all else are stepped over.

The messages are TensorFlow's: `event.proto`, `summary.proto` and `tensor.proto`. A scalar is either a
`simple_value`, or a tensor of one element that belongs to the scalars plugin. Some writers say that in the first record
of a tag only: a tensor that says nothing may be a scalar, and who knows the tag decides.
"""

import itertools
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from traindeck.events.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    Field,
    MalformedMessageError,
    fields,
    read_varint,
    signed,
    write_varint,
)

# A field as (number, wire type).
EVENT_WALL_TIME, EVENT_STEP, EVENT_VERSION, EVENT_SUMMARY, EVENT_SESSION_LOG = (
    (1, FIXED64),
    (2, VARINT),
    (3, BYTES),
    (5, BYTES),
    (7, BYTES),
)
SUMMARY_VALUE = (1, BYTES)
VALUE_TAG, VALUE_SIMPLE, VALUE_TENSOR, VALUE_METADATA = (1, BYTES), (2, FIXED32), (8, BYTES), (9, BYTES)
METADATA_PLUGIN, PLUGIN_NAME = (1, BYTES), (1, BYTES)
SESSION_STATUS, TENSOR_TYPE = (1, VARINT), (1, VARINT)

UNITS = {"milliseconds": (1e11, 1e3), "microseconds": (1e14, 1e6), "nanoseconds": (1e17, 1e9)}
"""From which number on a wall time is in this unit, and how many of it make a second; 1e11 s are of the year 5138."""

SESSION_START = 1
VERSION_BYTES = 32
SMALL_PART_BYTES = 32 << 10
PARTS_LIMIT = 100_000
TENSOR_CONTENT = 4
TENSOR_NUMBERS = {5: "<f", 6: "<d"}
"""The fields of a tensor that hold floats and doubles."""
TENSOR_INTEGERS = frozenset({7, 10, 11, 16, 17})
"""The fields of a tensor that hold integers of any size, and booleans."""
TENSOR_HALVES = 13
"""The field of a tensor that holds the bits of 16-bit floats."""
TENSOR_UNSIGNED = 17
CONTENT_FORMATS = {
    1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 17: "<H", 19: "<e", 22: "<I", 23: "<Q",
}  # fmt: skip
"""How one element is laid out in a tensor's raw content, by the tensor's type."""
FLOAT_FORMATS = frozenset({"<f", "<d"})


class Scalar(NamedTuple):
    """One scalar: its tag is data[tag_start:tag_end]; its value lies at `value_at`, in a `struct` format.

    `format` is None where the number has no fixed place and size; then only `value` tells. `declared` is false for a
    tensor that does not say which plugin it belongs to.
    """

    tag_start: int
    tag_end: int
    value_at: int
    format: str | None
    value: float
    declared: bool = True


@dataclass(slots=True)
class Event:
    """What is wanted of one event; the fields `…_at` say where, or are None where the field is left out."""

    wall_time: float = 0.0
    wall_time_at: int | None = None
    step: int = 0
    step_at: int | None = None
    step_end: int = 0
    version: bytes = b""
    """What the first record of a file says of its format: "brain.Event:2"."""
    has_summary: bool = False
    restarts: bool = False
    """True where a writer says that it begins again at `step`: earlier points from there on are void."""
    scalars: list[Scalar] = field(default_factory=list)


def read_event(data: bytes) -> Event:
    """The event in `data`.

    Raises:
        MalformedMessageError: the bytes are no event.
    """
    event = Event()
    for part in fields(data, 0, len(data)):
        if part[:2] == EVENT_WALL_TIME:
            event.wall_time, event.wall_time_at = struct.unpack_from("<d", data, part.start)[0], part.start
        elif part[:2] == EVENT_STEP:
            event.step = signed(read_varint(data, part.start, part.end)[0])
            event.step_at, event.step_end = part.start, part.end
        elif part[:2] == EVENT_VERSION:
            event.version = data[part.start : min(part.end, part.start + VERSION_BYTES)]
        elif part[:2] == EVENT_SUMMARY:
            event.has_summary = True
            event.scalars += _summary_scalars(data, part)
        elif part[:2] == EVENT_SESSION_LOG:
            event.restarts = _number(data, part, SESSION_STATUS) == SESSION_START
    return event


def condensed(data: bytes) -> bytes | None:
    """The event in `data` without parts that are too large for a scalar; empty where it says nothing of scalars.

    None where it is malformed, or has too many parts.

    Each part is looked at once, so that a large event costs no more than a row of small ones.
    """
    kept: list[bytes] = []
    tells = False
    budget = itertools.count()
    try:
        for part in _counted(fields(data, 0, len(data)), budget):
            tells = tells or part[:2] in (EVENT_SUMMARY, EVENT_SESSION_LOG, EVENT_VERSION)
            if part[:2] != EVENT_SUMMARY:
                kept += _small(data, part)
                continue
            values = []
            for value in _counted(fields(data, part.start, part.end), budget):
                if value.end - value.start <= SMALL_PART_BYTES:
                    values += _small(data, value)
                else:
                    inner = _counted(fields(data, value.start, value.end), budget)
                    values.append(_message(value, b"".join(piece for one in inner for piece in _small(data, one))))
            kept.append(_message(part, b"".join(values)))
    except MalformedMessageError:
        return None
    return b"".join(kept) if tells else b""


def _counted(parts: Iterable[Field], budget: Iterator[int]) -> Iterator[Field]:
    for part in parts:
        if next(budget) > PARTS_LIMIT:
            raise MalformedMessageError("the event has too many parts")
        yield part


def _small(data: bytes, part: Field) -> list[bytes]:
    """A field as it is encoded, unless it is large."""
    size = part.end - part.start
    if size > SMALL_PART_BYTES:
        return []
    content = data[part.start : part.end]
    return [_message(part, content) if part.kind == BYTES else _key(part) + content]


def _key(part: Field) -> bytes:
    return write_varint(part.number << 3 | part.kind)


def _message(part: Field, content: bytes) -> bytes:
    return _key(part) + write_varint(len(content)) + content


def with_text_tags(data: bytes) -> bytes:
    """The event in `data`, with escapes for the bytes of its tags that are no UTF-8.

    Raises:
        MalformedMessageError: the bytes are no event.
    """
    return _rewritten(data, Field(0, BYTES, 0, len(data)), (EVENT_SUMMARY, SUMMARY_VALUE, VALUE_TAG))


def _rewritten(data: bytes, message: Field, keys: tuple[tuple[int, int], ...]) -> bytes:
    if not keys:
        return data[message.start : message.end].decode(errors="backslashreplace").encode()
    parts = []
    for part in fields(data, message.start, message.end):
        content = data[part.start : part.end]
        if part[:2] == keys[0]:
            content = _rewritten(data, part, keys[1:])
        parts.append(_message(part, content) if part.kind == BYTES else _key(part) + content)
    return b"".join(parts)


def event_or_none(content: bytes) -> Event | None:
    """The event in `content`, or None where the bytes are no event."""
    try:
        return read_event(content)
    except MalformedMessageError:
        return None


def _summary_scalars(data: bytes, summary: Field) -> list[Scalar]:
    values = (part for part in fields(data, summary.start, summary.end) if part[:2] == SUMMARY_VALUE)
    return [scalar for value in values if (scalar := _value_scalar(data, value)) is not None]


def _value_scalar(data: bytes, value: Field) -> Scalar | None:
    tag_start = tag_end = value.start
    simple = tensor = None
    plugin = b""
    for part in fields(data, value.start, value.end):
        if part[:2] == VALUE_TAG:
            tag_start, tag_end = part.start, part.end
        elif part[:2] == VALUE_SIMPLE:
            simple = part.start
        elif part[:2] == VALUE_TENSOR:
            tensor = part
        elif part[:2] == VALUE_METADATA:
            plugin = _plugin_name(data, part)
    if simple is not None:
        return Scalar(tag_start, tag_end, simple, "<f", struct.unpack_from("<f", data, simple)[0])
    if tensor is None or plugin not in (b"scalars", b""):
        return None
    number = _tensor_number(data, tensor)
    return None if number is None else Scalar(tag_start, tag_end, *number, declared=bool(plugin))


def _plugin_name(data: bytes, metadata: Field) -> bytes:
    for plugin in fields(data, metadata.start, metadata.end):
        if plugin[:2] == METADATA_PLUGIN:
            for part in fields(data, plugin.start, plugin.end):
                if part[:2] == PLUGIN_NAME:
                    return data[part.start : part.end]
    return b""


def _tensor_number(data: bytes, tensor: Field) -> tuple[int, str | None, float] | None:
    """Place, format and value of a tensor's only element; None where it has another number of them."""
    kind = _number(data, tensor, TENSOR_TYPE)
    for part in fields(data, tensor.start, tensor.end):
        shape = TENSOR_NUMBERS.get(part.number)
        if part.number == TENSOR_CONTENT:
            shape = CONTENT_FORMATS.get(kind)
        if shape is not None:
            if part.end - part.start != struct.calcsize(shape):
                return None
            value = float(struct.unpack_from(shape, data, part.start)[0])
            return part.start, shape if shape in FLOAT_FORMATS else None, value
        if part.number == TENSOR_HALVES or part.number in TENSOR_INTEGERS:
            number, end = read_varint(data, part.start, part.end)
            return (part.start, None, _as_float(part.number, number)) if end == part.end else None
    return None


def _as_float(field_number: int, value: int) -> float:
    if field_number == TENSOR_HALVES:
        return float(struct.unpack("<e", struct.pack("<H", value & 0xFFFF))[0])
    return float(value if field_number == TENSOR_UNSIGNED else signed(value))


def _number(data: bytes, message: Field, key: tuple[int, int]) -> int:
    """The integer field `key` of a message; 0 where it is left out."""
    found = 0
    for part in fields(data, message.start, message.end):
        if part[:2] == key:
            found = read_varint(data, part.start, part.end)[0]
    return found
