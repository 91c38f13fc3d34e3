"""When a writer began, and the hyperparameters that it told the HParams tab, read from the head of event files.

The messages are TensorBoard's `tensorboard/plugins/hparams/plugin_data.proto`. `add_hparams` opens a file of its own
and Keras' callback writes them first, so they stand in the first megabyte.
"""

import math
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from traindeck.events.scalars import EVENT_SUMMARY, SUMMARY_VALUE, UNITS, VALUE_METADATA, VALUE_TAG, event_or_none
from traindeck.events.wire import BYTES, FIXED64, VARINT, Field, MalformedMessageError, fields, read_varint

Value = float | str | bool

FILES_LIMIT = 200
TIMES_LIMIT = 100
"""So many events are asked for the time, where the first have none."""
SESSION_START_TAG = b"_hparams_/session_start_info"
PLUGIN_DATA, PLUGIN_CONTENT = (1, BYTES), (2, BYTES)
SESSION_START, HPARAMS = (3, BYTES), (1, BYTES)
ENTRY_KEY, ENTRY_VALUE = (1, BYTES), (2, BYTES)
NUMBER, TEXT, TRUTH = (2, FIXED64), (3, BYTES), (4, VARINT)


@dataclass(slots=True)
class Beginnings:
    """`started` is the first event's time in seconds since the epoch, None where no file has an event."""

    started: float | None = None
    params: dict[str, Value] = field(default_factory=dict)


def read_beginnings(files: Iterable[Path]) -> Beginnings:
    """What the heads of a log folder's event files say; what cannot be read says nothing."""
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
    """The wall time of an event in seconds since the epoch; None where it is no time."""
    event = event_or_none(record)
    if event is None or not math.isfinite(event.wall_time) or event.wall_time <= 0:
        return None
    each = next((each for least, each in reversed(UNITS.values()) if event.wall_time > least), 1.0)
    return event.wall_time / each


def _head(file: Path) -> tuple[list[bytes], bool]:
    """The first records of a file, and whether there may be hyperparameters in them."""
    # Here, because numpy takes the server a tenth of a second to import.
    from traindeck.events.records import read_chunk

    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return [], False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return [], False
        chunk = read_chunk(descriptor, 0)
    except OSError:
        return [], False
    finally:
        os.close(descriptor)
    spans = zip(chunk.starts.tolist(), chunk.lengths.tolist(), strict=True)
    interesting = chunk.data.find(SESSION_START_TAG) >= 0
    records = [chunk.data[start : start + length] for start, length in spans]
    return records if interesting else records[:TIMES_LIMIT], interesting


def _hparams(record: bytes) -> dict[str, Value]:
    params: dict[str, Value] = {}
    for value in _within(record, _whole(record), EVENT_SUMMARY, SUMMARY_VALUE):
        tags = [record[part.start : part.end] for part in _within(record, value, VALUE_TAG)]
        if SESSION_START_TAG not in tags:
            continue
        for entry in _within(record, value, VALUE_METADATA, PLUGIN_DATA, PLUGIN_CONTENT, SESSION_START, HPARAMS):
            params |= _entry(record, entry)
    return params


def _entry(data: bytes, entry: Field) -> dict[str, Value]:
    name = b"".join(data[part.start : part.end] for part in _within(data, entry, ENTRY_KEY)).decode()
    for value in _within(data, entry, ENTRY_VALUE):
        for part in fields(data, value.start, value.end):
            if part[:2] == NUMBER:
                return {name: _tidy(struct.unpack_from("<d", data, part.start)[0])}
            if part[:2] == TEXT:
                return {name: data[part.start : part.end].decode()}
            if part[:2] == TRUTH:
                return {name: bool(read_varint(data, part.start, part.end)[0])}
    return {}


def _tidy(number: float) -> float:
    """Whole numbers without a point: the format has one kind of number only."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _whole(data: bytes) -> Field:
    return Field(0, BYTES, 0, len(data))


def _within(data: bytes, message: Field, *keys: tuple[int, int]) -> Iterator[Field]:
    """The fields that are reached from a message by one key after the other."""
    for part in fields(data, message.start, message.end):
        if part[:2] == keys[0]:
            if len(keys) == 1:
                yield part
            else:
                yield from _within(data, part, *keys[1:])
