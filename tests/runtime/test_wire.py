"""The wire format: what is written is read again, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec_runtime.wire import BYTES, VARINT, WireError, bytes_field, fields, number_field, varint, varints

NUMBERS = st.integers(1, (1 << 29) - 1)
VALUES = st.integers(0, (1 << 64) - 1)


@given(NUMBERS, VALUES)
def test_number_comes_back(number: int, value: int) -> None:
    encoded = number_field(number, value)
    (field,) = fields(encoded, 0, len(encoded))
    assert (field.number, field.kind, field.value, field.end) == (number, VARINT, value, len(encoded))


@given(st.lists(st.tuples(NUMBERS, st.binary(max_size=300))))
def test_bytes_come_back(parts: list[tuple[int, bytes]]) -> None:
    data = b"".join(bytes_field(number, content) for number, content in parts)
    found = [(field.number, data[field.body : field.end]) for field in fields(data, 0, len(data))]
    assert found == parts
    assert all(field.kind == BYTES for field in fields(data, 0, len(data)))


@given(st.lists(VALUES))
def test_packed_numbers_come_back(values: list[int]) -> None:
    data = b"".join(map(varint, values))
    assert list(varints(data, 0, len(data))) == values


def test_fixed_widths_are_passed_over() -> None:
    data = bytes([1 << 3 | 1]) + b"12345678" + bytes([2 << 3 | 5]) + b"1234" + number_field(3, 7)
    assert [(field.number, field.end - field.body) for field in fields(data, 0, len(data))] == [(1, 8), (2, 4), (3, 1)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80", "breaks off"),
        (b"\x08", "breaks off"),
        (b"\x08" + b"\xff" * 10, "more than ten bytes"),
        (b"\x08" + b"\xff" * 9 + b"\x7f", "more than 64 bits"),
        (b"\x0a\x05abc", "5 bytes claimed at byte 1, 3 left"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "claimed"),
        (b"\x09abc", "8 bytes claimed"),
        (b"\x0b", "wire type 3"),
        (b"\x00\x00", "field number 0"),
    ],
)
def test_damage_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        list(fields(data, 0, len(data)))


@given(st.binary(max_size=200), st.integers(0, 20))
def test_any_bytes_end_inside_or_are_refused(data: bytes, start: int) -> None:
    end = max(start, len(data) - 3)
    try:
        found = list(fields(data[:end], start, min(end, len(data))))
    except WireError:
        return
    assert all(start <= field.start < field.body <= field.end + 1 for field in found)
    assert not found or found[-1].end == min(end, len(data))
