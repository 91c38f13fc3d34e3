"""The protocol-buffer wire format, read by position: what a message holds is found without copying it.

Parsing every event with generated classes copies whole images to learn that they are no scalars, and
importing those classes costs the server 20 ms. The format is at https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED_SIZES = {FIXED64: 8, FIXED32: 4}
VARINT_LIMIT_BYTES = 10
PARTS_LIMIT = 1 << 19
"""As many fields as 1 MiB can hold, so that a large message takes no longer than a row of small ones."""

Span = tuple[int, int]
"""Where some content begins, and where it ends."""

Field = tuple[int, int, int]
"""The key of a field, and where its content begins and ends."""


class MalformedMessageError(ValueError):
    """The bytes are no message in the wire format, or one of too many fields."""


def field_key(number: int, kind: int) -> int:
    """Return the key of a field: its number in the message's definition, and its wire type."""
    return number << 3 | kind


class Message:
    """The bytes of a message, and how many of its fields were looked at."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._seen = 0

    def fields(self, start: int = 0, end: int | None = None) -> Iterator[Field]:
        """Yield the fields of the message in data[start:end], in their order.

        Raises:
            MalformedMessageError: a field runs over the end, has an unknown wire type, or is one too many.
        """
        at, end = start, len(self.data) if end is None else end
        while at < end:
            key, at = self.varint(at, end)
            kind = key & 7
            if kind == VARINT:
                stop = self.varint(at, end)[1]
            elif kind == BYTES:
                size, at = self.varint(at, end)
                stop = at + size
            elif kind in FIXED_SIZES:
                stop = at + FIXED_SIZES[kind]
            else:
                raise MalformedMessageError(f"a field has the wire type {kind}")
            self._seen += 1
            if stop > end or self._seen > PARTS_LIMIT:
                raise MalformedMessageError("a field runs over the end of its message, or there are too many")
            yield key, at, stop
            at = stop

    def within(self, span: Span, *keys: int) -> Iterator[Span]:
        """Yield the contents that are reached from the message at `span` by one key after the other."""
        for key, start, end in self.fields(*span):
            if key == keys[0]:
                if len(keys) == 1:
                    yield start, end
                else:
                    yield from self.within((start, end), *keys[1:])

    def number(self, span: Span, key: int) -> int:
        """Return the integer in the field `key` of the message at `span`; 0 where it is left out."""
        found = 0
        for start, end in self.within(span, key):
            found = self.varint(start, end)[0]
        return found

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """Return the unsigned number at `at`, and where it ends.

        Raises:
            MalformedMessageError: it does not end before `end`, or is longer than ten bytes.
        """
        value = shift = 0
        for place in range(at, min(end, at + VARINT_LIMIT_BYTES)):
            byte = self.data[place]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, place + 1
            shift += 7
        raise MalformedMessageError("a number does not end")

    def rewritten(self, span: Span, *keys: int) -> bytes:
        """Return the message at `span` with escapes for what is no UTF-8 in the texts that `keys` lead to."""
        content = self.data[slice(*span)]
        if not keys:
            return content.decode(errors="backslashreplace").encode()
        parts = []
        for key, start, end in self.fields(*span):
            content = self.rewritten((start, end), *keys[1:]) if key == keys[0] else self.data[start:end]
            size = _varint(len(content)) if key & 7 == BYTES else b""
            parts.append(_varint(key) + size + content)
        return b"".join(parts)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def signed(value: int) -> int:
    """Return the int64 that an unsigned number stands for."""
    return value - (1 << 64) if value >> 63 else value
