"""The scalars of one event, found by position in its bytes; images, histograms and all else are stepped over.

The messages are TensorFlow's: `event.proto`, `summary.proto` and `tensor.proto`. A scalar is either a
`simple_value`, or a tensor of one element that belongs to the scalars plugin. Some writers say that in the first record
of a tag only: a tensor that says nothing may be a scalar, and who knows the tag decides.
"""

import re
import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from traindeck.events.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    MalformedMessageError,
    Message,
    Span,
    field_key,
    signed,
)

WALL_TIME, STEP, VERSION = field_key(1, FIXED64), field_key(2, VARINT), field_key(3, BYTES)
SUMMARY, SESSION_LOG = field_key(5, BYTES), field_key(7, BYTES)
SUMMARY_VALUE = field_key(1, BYTES)
TAG, SIMPLE_VALUE, TENSOR, METADATA = (
    field_key(1, BYTES),
    field_key(2, FIXED32),
    field_key(8, BYTES),
    field_key(9, BYTES),
)
PLUGIN, PLUGIN_NAME = field_key(1, BYTES), field_key(1, BYTES)
SESSION_STATUS, TENSOR_TYPE = field_key(1, VARINT), field_key(1, VARINT)

UNITS = {"milliseconds": (1e11, 1e3), "microseconds": (1e14, 1e6), "nanoseconds": (1e17, 1e9)}
"""From which number on a wall time is in this unit, and how many of it make a second; 1e11 s are of the year 5138."""

SESSION_START = 1
VERSION_TEXT = re.compile(rb"brain\.Event:(\d{1,9})")
VERSION_WITH_RESTARTS = 2
"""Files of this version say where training began again; in others, and where none is said, a step back does."""

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
    """One scalar: `tag` is data[tag_start:tag_end] as text; its value lies at `value_at`, in a `struct` format.

    `format` is None where the number has no fixed place and size; then only `value` tells. `is_declared` is false for a
    tensor that does not say which plugin it belongs to. `is_plain` is true for a `simple_value` beside a tag alone.
    """

    tag: str
    tag_start: int
    tag_end: int
    value_at: int
    format: str | None
    value: float
    is_declared: bool = True
    is_plain: bool = False


@dataclass(slots=True)
class Event:
    """What is wanted of one event; the fields `…_at` say where, or are None where the field is left out.

    Attributes:
        version: What the first record of a file says of its format: "brain.Event:2".
        is_restart: True where a writer says that it begins again at `step`: earlier points from there on are void.
        is_mixed: True where there is more than a wall time, a step and one value: an unknown field, or a second one.
    """

    wall_time: float = 0.0
    wall_time_at: int | None = None
    step: int = 0
    step_at: int | None = None
    step_end: int = 0
    version: bytes | None = None
    has_summary: bool = False
    is_restart: bool = False
    is_mixed: bool = False
    scalars: list[Scalar] = field(default_factory=list)

    @property
    def has_one_place(self) -> bool:
        """Return True where its only news is one scalar whose number has a fixed place."""
        one = len(self.scalars) == 1 and self.scalars[0].format is not None
        return one and not self.is_restart and self.version is None

    @property
    def is_plain(self) -> bool:
        """Return True for an event that is one plain number under a tag, and nothing else at all."""
        return not self.is_mixed and len(self.scalars) == 1 and self.scalars[0].is_plain

    @property
    def says_restarts(self) -> bool | None:
        """Return whether its file says where training began again, by the version in it; None where it has none."""
        if self.version is None:
            return None
        told = VERSION_TEXT.fullmatch(self.version)
        return told is not None and int(told[1]) >= VERSION_WITH_RESTARTS


def read_event(data: bytes) -> Event:
    """Return the event in `data`.

    Raises:
        MalformedMessageError: the bytes are no event.
    """
    event, message, keys = Event(), Message(data), []
    for key, start, end in message.fields():
        keys.append(key)
        if key == WALL_TIME:
            event.wall_time, event.wall_time_at = struct.unpack_from("<d", data, start)[0], start
        elif key == STEP:
            event.step = signed(message.varint(start, end)[0])
            event.step_at, event.step_end = start, end
        elif key == VERSION:
            event.version = data[start:end]
        elif key == SUMMARY:
            event.has_summary = True
            values = list(message.within((start, end), SUMMARY_VALUE))
            event.scalars += [one for value in values if (one := _scalar(message, value)) is not None]
            event.is_mixed |= len(values) != 1
        elif key == SESSION_LOG:
            event.is_restart = message.number((start, end), SESSION_STATUS) == SESSION_START
    event.is_mixed |= len(keys) > len({*keys} & {WALL_TIME, STEP, SUMMARY})
    return event


def event_or_none(content: bytes) -> Event | None:
    """Return the event in `content`, or None where the bytes are no event."""
    try:
        return read_event(content)
    except MalformedMessageError:
        return None


def with_text_tags(data: bytes) -> bytes:
    """Return the event in `data`, with escapes for the bytes of its tags that are no UTF-8.

    Raises:
        MalformedMessageError: the bytes are no event.
    """
    return Message(data).rewritten((0, len(data)), SUMMARY, SUMMARY_VALUE, TAG)


def _scalar(message: Message, value: Span) -> Scalar | None:
    tag = value[0], value[0]
    simple, tensor, plugin, keys = None, None, b"", []
    for key, start, end in message.fields(*value):
        keys.append(key)
        if key == TAG:
            tag = start, end
        elif key == SIMPLE_VALUE:
            simple = start
        elif key == TENSOR:
            tensor = start, end
        elif key == METADATA:
            names = message.within((start, end), PLUGIN, PLUGIN_NAME)
            plugin = b"".join(message.data[slice(*name)] for name in names)
    if simple is not None:
        number = struct.unpack_from("<f", message.data, simple)[0]
        is_plain = tag[0] < tag[1] and sorted(keys) == [TAG, SIMPLE_VALUE]
        return Scalar(_text(message, tag), *tag, simple, "<f", number, is_plain=is_plain)
    if tensor is None or plugin not in (b"scalars", b""):
        return None
    found = _tensor_number(message, tensor)
    if found is None:
        return None
    at, layout, number = found
    return Scalar(_text(message, tag), *tag, at, layout, number, is_declared=bool(plugin))


def _text(message: Message, tag: Span) -> str:
    return message.data[slice(*tag)].decode(errors="backslashreplace")


def _tensor_number(message: Message, tensor: Span) -> tuple[int, str | None, float] | None:
    """Return place, format and value of a tensor's only element; None where it has another number of them."""
    kind = message.number(tensor, TENSOR_TYPE)
    for key, start, end in message.fields(*tensor):
        number = key >> 3
        layout = CONTENT_FORMATS.get(kind) if number == TENSOR_CONTENT else TENSOR_NUMBERS.get(number)
        if layout is not None:
            if end - start != struct.calcsize(layout):
                return None
            value = float(struct.unpack_from(layout, message.data, start)[0])
            return start, layout if layout in FLOAT_FORMATS else None, value
        if number == TENSOR_HALVES or number in TENSOR_INTEGERS:
            integer, stop = message.varint(start, end)
            return (start, None, _as_float(number, integer)) if stop == end else None
    return None


def _as_float(field_number: int, value: int) -> float:
    if field_number == TENSOR_HALVES:
        return float(struct.unpack("<e", struct.pack("<H", value & 0xFFFF))[0])
    return float(value if field_number == TENSOR_UNSIGNED else signed(value))
