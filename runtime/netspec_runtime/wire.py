"""The protobuf wire format: fields of a message, read where they lie and written again. It knows no ONNX."""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from typing import Final, NamedTuple

Data = bytes | mmap

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_FIXED_SIZES: Final = {FIXED64: 8, FIXED32: 4}


class WireError(ValueError):
    """The bytes are no protobuf message. The text says what and at which offset of the data."""


class Field(NamedTuple):
    """One field: bytes ``start:end`` of the data, with the tag; its content is ``body:end``.

    ``value`` is the number in a varint field and 0 in the others.
    """

    number: int
    kind: int
    start: int
    body: int
    end: int
    value: int


def fields(data: Data, start: int, end: int) -> Iterator[Field]:
    """The fields of the message in ``data[start:end]``, in order; nothing is copied.

    Raises WireError at the first byte that is no field of it; never reads outside of ``start:end``.
    """
    while start < end:
        tag, body = _read_varint(data, start, end)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise WireError(f"field number {number} at byte {start}")
        value, body, stop = _extent(data, kind, body, end)
        yield Field(number, kind, start, body, stop, value)
        start = stop


def varints(data: Data, start: int, end: int) -> Iterator[int]:
    """The numbers of a packed list, which fills ``data[start:end]``. Raises WireError where it breaks off."""
    while start < end:
        value, start = _read_varint(data, start, end)
        yield value


def _extent(data: Data, kind: int, position: int, end: int) -> tuple[int, int, int]:
    """Value, first byte and end of the content at ``position``."""
    if kind == VARINT:
        value, stop = _read_varint(data, position, end)
        return value, position, stop
    if kind == BYTES:
        length, body = _read_varint(data, position, end)
    elif kind in _FIXED_SIZES:
        length, body = _FIXED_SIZES[kind], position
    else:
        raise WireError(f"wire type {kind} at byte {position}")
    if length > end - body:
        raise WireError(f"{length} bytes claimed at byte {position}, {end - body} left")
    return 0, body, body + length


def _read_varint(data: Data, position: int, end: int) -> tuple[int, int]:
    """The number at ``position`` and the offset behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise WireError(f"it breaks off at byte {position}")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    else:
        raise WireError(f"a number of more than ten bytes before byte {position}")
    if value >> 64:
        raise WireError(f"a number of more than 64 bits before byte {position}")
    return value, position


def varint(value: int) -> bytes:
    """A number from 0 to 2^64 - 1 in its shortest form."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def number_field(number: int, value: int) -> bytes:
    """A whole varint field."""
    return varint(number << 3 | VARINT) + varint(value)


def bytes_field(number: int, content: bytes) -> bytes:
    """A whole field of bytes, text or a nested message."""
    return varint(number << 3 | BYTES) + varint(len(content)) + content
