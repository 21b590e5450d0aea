"""Structs, texts and numbers of a MATLAB 5 file, enough for ImageNet's meta.mat; no sparse or complex arrays.

Layout: "MAT-File Format", The MathWorks, chapter 1. An element is a type, a length and data padded to 8 bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Value = str | list[float] | list[dict[str, "Value"]] | list["Value"]

_COMPRESSED: Final = 15
_NUMBERS: Final = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 9: "d", 12: "q", 13: "Q"}
_TEXTS: Final = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CELL, _STRUCT, _CHAR, _FIRST_NUMERIC, _LAST_NUMERIC = 1, 2, 4, 6, 15
_MOST: Final = 1 << 28  # bytes that a compressed element may grow to


class MatError(ValueError):
    """No MATLAB 5 file, or one with what is not read here."""


@dataclass(frozen=True)
class _Element:
    type: int
    data: bytes


def read_mat(content: bytes) -> dict[str, Value]:
    """The variables of a file by name. A struct array is a list of mappings, down the columns. Raises MatError."""
    if len(content) < 128 or content[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise MatError("no MATLAB 5 file")
    order = "<" if content[126:128] == b"IM" else ">"
    try:
        return dict([_matrix(element.data, order) for element in _elements(content[128:], order)])
    except MatError:
        raise
    except (struct.error, zlib.error, LookupError, ValueError, OverflowError, StopIteration, RecursionError) as error:
        raise MatError(f"a damaged MATLAB file ({error!r})") from error


def _elements(data: bytes, order: str) -> Iterator[_Element]:
    place = 0
    while place < len(data):
        kind, length = struct.unpack_from(order + "II", data, place)
        if kind >> 16:  # up to four bytes of data lie in the tag itself
            kind, length = kind & 0xFFFF, kind >> 16
            yield _Element(kind, data[place + 4 : place + 4 + length])
            place += 8
            continue
        body = data[place + 8 : place + 8 + length]
        if len(body) < length:
            raise MatError("a MATLAB file that is cut off")
        place += 8 + length
        if kind == _COMPRESSED:
            yield from _elements(_inflated(body), order)
        else:
            place += -length % 8
            yield _Element(kind, body)


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    data = inflater.decompress(body, _MOST)
    if inflater.unconsumed_tail:
        raise MatError(f"an element of more than {_MOST >> 20} MiB")
    return data


def _matrix(data: bytes, order: str) -> tuple[str, Value]:
    """Name and value of an array."""
    if not data:
        return "", []
    parts = _elements(data, order)
    kind = struct.unpack_from(order + "I", next(parts).data)[0] & 0xFF
    count = 1
    for side in _numbers(next(parts), order):
        count *= int(side)
    name = next(parts).data.decode("latin-1")
    if kind == _STRUCT:
        return name, _structs(parts, order, count)
    if kind == _CELL:
        return name, [_matrix(next(parts).data, order)[1] for _ in range(count)]
    if kind == _CHAR:
        return name, _text(next(parts, None), order)
    if _FIRST_NUMERIC <= kind <= _LAST_NUMERIC:
        return name, _numbers(next(parts), order)
    raise MatError(f"an array of class {kind}")


def _structs(parts: Iterator[_Element], order: str, count: int) -> list[dict[str, Value]]:
    width = int(_numbers(next(parts), order)[0])
    names = next(parts).data
    if not names:
        raise MatError("a struct without fields")
    fields = [names[at : at + width].split(b"\0")[0].decode("latin-1") for at in range(0, len(names), width)]
    return [{field: _matrix(next(parts).data, order)[1] for field in fields} for _ in range(count)]


def _text(element: _Element | None, order: str) -> str:
    if element is None:
        return ""
    code = _TEXTS[element.type]
    if code in ("utf-16", "utf-32"):
        code += "-le" if order == "<" else "-be"
    return element.data.decode(code)


def _numbers(element: _Element, order: str) -> list[float]:
    code = _NUMBERS[element.type]
    count = len(element.data) // struct.calcsize("=" + code)
    return list(struct.unpack_from(f"{order}{count}{code}", element.data))
