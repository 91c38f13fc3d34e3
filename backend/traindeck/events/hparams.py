"""When a writer began, and the hyperparameters that it told the HParams tab, read from the head of event files.

The messages are TensorBoard's `tensorboard/plugins/hparams/plugin_data.proto`. `add_hparams` opens a file of its own
and Keras' callback writes them first, so they stand in the first megabyte.
"""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from traindeck.events.event import METADATA, SUMMARY, SUMMARY_VALUE, TAG, UNITS, event_or_none
from traindeck.events.folders import opened
from traindeck.events.protobuf import BYTES, FIXED64, VARINT, MalformedMessageError, Message, Span, field_key

Value = float | str | bool

FILES_LIMIT = 200
TIMES_LIMIT = 100
"""So many events are asked for the time, where the first have none."""
SESSION_START_TAG = b"_hparams_/session_start_info"
PLUGIN_DATA, PLUGIN_CONTENT = field_key(1, BYTES), field_key(2, BYTES)
SESSION_START, HPARAMS = field_key(3, BYTES), field_key(1, BYTES)
ENTRY_KEY, ENTRY_VALUE = field_key(1, BYTES), field_key(2, BYTES)
NUMBER, TEXT, TRUTH = field_key(2, FIXED64), field_key(3, BYTES), field_key(4, VARINT)


@dataclass(slots=True)
class Beginnings:
    """`started` is the first event's time in seconds since the epoch, None where no file has an event."""

    started: float | None = None
    params: dict[str, Value] = field(default_factory=dict)


def read_beginnings(files: Iterable[Path]) -> Beginnings:
    """Return what the heads of a log folder's event files say; what cannot be read says nothing."""
    found = Beginnings()
    for file in list(files)[:FILES_LIMIT]:
        records, has_params = _head(file)
        started = next(filter(None, map(_time, records[:TIMES_LIMIT])), None)
        if started is not None:
            found.started = min(found.started or started, started)
        for record in records if has_params else []:
            try:
                found.params |= _hparams(record)
            except (MalformedMessageError, UnicodeDecodeError):
                continue
    return found


def _time(record: bytes) -> float | None:
    """Return the wall time of an event in seconds since the epoch; None where it is no time."""
    event = event_or_none(record)
    if event is None or not math.isfinite(event.wall_time) or event.wall_time <= 0:
        return None
    each = next((each for least, each in reversed(UNITS.values()) if event.wall_time > least), 1.0)
    return event.wall_time / each


def _head(file: Path) -> tuple[list[bytes], bool]:
    """Return the first records of a file, and whether there may be hyperparameters in them."""
    # Here, because numpy takes the server a tenth of a second to import.
    from traindeck.events.chunk import next_chunk
    from traindeck.events.eventfile import LARGE_LIMIT_BYTES

    try:
        with opened(str(file)) as descriptor:
            chunk = next_chunk(descriptor, 0, lambda _: False, LARGE_LIMIT_BYTES)
    except OSError:
        return [], False
    records = [record for _, record in chunk.others]
    is_interesting = any(SESSION_START_TAG in record for record in records)
    return records if is_interesting else records[:TIMES_LIMIT], is_interesting


def _hparams(record: bytes) -> dict[str, Value]:
    params: dict[str, Value] = {}
    message = Message(record)
    for value in message.within((0, len(record)), SUMMARY, SUMMARY_VALUE):
        if SESSION_START_TAG not in (record[slice(*tag)] for tag in message.within(value, TAG)):
            continue
        for entry in message.within(value, METADATA, PLUGIN_DATA, PLUGIN_CONTENT, SESSION_START, HPARAMS):
            params |= _entry(message, entry)
    return params


def _entry(message: Message, entry: Span) -> dict[str, Value]:
    data = message.data
    name = b"".join(data[slice(*key)] for key in message.within(entry, ENTRY_KEY)).decode()
    for value in message.within(entry, ENTRY_VALUE):
        for key, start, end in message.fields(*value):
            if key == NUMBER:
                return {name: _tidy(struct.unpack_from("<d", data, start)[0])}
            if key == TEXT:
                return {name: data[start:end].decode()}
            if key == TRUTH:
                return {name: bool(message.varint(start, end)[0])}
    return {}


def _tidy(number: float) -> float:
    """Return whole numbers without a point: the format has one kind of number only."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
