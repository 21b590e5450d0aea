"""Caffe's binary files: protobuf's wire format to messages, with blobs as views of the file. It interprets nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from struct import unpack_from
from typing import Final, TypeVar

from netspec.importers.caffe.blobs import BlobError, shaped
from netspec.importers.caffe.mapped import FIX, Numbers, map_file
from netspec.importers.caffe.message import Blob, Field, Message, Value
from netspec.importers.caffe.schema import ENUMS, MESSAGES, Slot
from netspec.source import Source, whole
from netspec_runtime import wire
from netspec_runtime.errors import DataError
from netspec_runtime.wire import BYTES, FIXED32, FIXED64, VARINT, WireError

MOST_FIELDS: Final = 200_000  # without the numbers of blobs; the largest published nets have some 10,000
LONGEST_TEXT: Final = 1 << 20  # bytes

T = TypeVar("T")

_KINDS: Final = {"float": FIXED32, "double": FIXED64, "string": BYTES, **dict.fromkeys(MESSAGES, BYTES)}
_BITS: Final = {"int32": 32, "uint32": 32, "int64": 64}
_FORMATS: Final = {FIXED32: ("<f", 4), FIXED64: ("<d", 8)}


def read_binary(path: Path, type: str) -> Message:
    """The message that a file is. Raises DataError, with the offset where it is damaged."""
    return _Reader(path).all(lambda reader, end: reader.message(type, 0, end))


def read_blob(path: Path) -> Blob:
    """The blob that a file is (``.binaryproto``). Raises DataError, with the offset where it is damaged."""
    return _Reader(path).all(lambda reader, end: reader.blob(0, end))


class _Reader:
    """Reads one file. It counts fields: no file keeps it busy for long, and numbers are only looked at by numpy."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = map_file(path)
        self.place = whole(Source(str(path), ""))
        self.count = 0

    def all(self, read: Callable[[_Reader, int], T]) -> T:
        try:
            return read(self, len(self.data))
        except WireError as error:
            raise DataError(str(self.path), f"it is damaged, or no file of Caffe's: {error}", FIX) from None

    def message(self, type: str, start: int, end: int) -> Message:
        found: list[Field] = []
        for field in wire.fields(self.data, start, end):
            self._counted(field)
            slot = MESSAGES[type].by_number.get(field.number)
            if slot:
                found += (Field(slot.name, value, self.place) for value in self._values(slot, field))
        return Message(type, _settled(type, found), self.place)

    def blob(self, start: int, end: int) -> Blob:
        """A BlobProto: of its numbers only ``data`` and ``double_data`` are kept."""
        slots = MESSAGES["BlobProto"].by_number
        numbers = {slot.name: Numbers(self.data, slot.kind == "double") for slot in slots.values() if slot.many}
        at, rest = start, []
        while at < end:
            field = next(wire.fields(self.data, at, end))
            self._counted(field)
            slot = slots.get(field.number)
            if slot and slot.name in numbers:
                at = numbers[slot.name].take(field, end)
                continue
            at = field.end
            if slot:
                rest += [Field(slot.name, value, self.place) for value in self._values(slot, field)]
        shape = Message("BlobProto", _settled("BlobProto", rest), self.place)
        kept = numbers["double_data"] if numbers["double_data"].chunks else numbers["data"]
        try:
            return shaped(shape, kept.floats())
        except BlobError as error:
            raise WireError(f"{error} (the blob at byte {start})") from None

    def _counted(self, field: wire.Field) -> None:
        self.count += 1
        if self.count > MOST_FIELDS:
            raise WireError(f"more than {MOST_FIELDS:,} fields before byte {field.start}")

    def _values(self, slot: Slot, field: wire.Field) -> Iterator[Value]:
        """What a field holds: one value, several if it is packed, or none if it is of another wire type.

        That is what protobuf does: such a field counts as one that is not known.
        """
        kind = _KINDS.get(slot.kind, VARINT)
        if field.kind == kind:
            yield self._value(slot, field)
        elif field.kind == BYTES and slot.many:
            yield from self._packed(slot, kind, field)

    def _value(self, slot: Slot, field: wire.Field) -> Value:
        if slot.kind == "BlobProto":
            return self.blob(field.body, field.end)
        if slot.kind in MESSAGES:
            return self.message(slot.kind, field.body, field.end)
        if slot.kind == "string":
            return self._text(field)
        if field.kind == VARINT:
            return _whole_number(slot, field.value)
        return self._float(field.kind, field.body)

    def _packed(self, slot: Slot, kind: int, field: wire.Field) -> Iterator[Value]:
        if kind == VARINT:
            for value in wire.varints(self.data, field.body, field.end):
                self._counted(field)
                yield _whole_number(slot, value)
            return
        size = _FORMATS[kind][1]
        if (field.end - field.body) % size:
            raise WireError(f"the list at byte {field.body} breaks off")
        for start in range(field.body, field.end, size):
            self._counted(field)
            yield self._float(kind, start)

    def _text(self, field: wire.Field) -> str:
        if field.end - field.body > LONGEST_TEXT:
            raise WireError(f"a text of {field.end - field.body:,} bytes at byte {field.body}")
        return self.data[field.body : field.end].decode("utf-8", "backslashreplace")

    def _float(self, kind: int, start: int) -> float:
        """The shortest number that is this float32: 0.1 and not 0.10000000149."""
        import numpy as np

        value = unpack_from(_FORMATS[kind][0], self.data, start)[0]
        if not np.isfinite(value):
            raise WireError(f"a number that is not finite at byte {start}")
        return float(str(np.float32(value))) if kind == FIXED32 else float(value)


def _whole_number(slot: Slot, value: int) -> int | bool | str:
    """A varint as a number with its sign, a flag, or the word of an enum (of one that it lacks, the digits)."""
    if slot.kind == "bool":
        return value != 0
    bits = _BITS.get(slot.kind, 32)
    value &= (1 << bits) - 1
    signed = value - (1 << bits) if value >> (bits - 1) and slot.kind != "uint32" else value
    return ENUMS[slot.kind].get(signed, str(signed)) if slot.kind in ENUMS else signed


def _settled(type: str, found: Iterable[Field]) -> tuple[Field, ...]:
    """Of fields that may stand once the last; messages that stand twice are one, as protobuf has it."""
    slots = MESSAGES[type].by_name
    same: dict[object, list[Field]] = {}
    for number, field in enumerate(found):
        same.setdefault(number if slots[field.name].many else field.name, []).append(field)
    return tuple(fields[-1] if len(fields) == 1 else _merged(fields) for fields in same.values())


def _merged(fields: Sequence[Field]) -> Field:
    messages = [field.value for field in fields if isinstance(field.value, Message)]
    if not messages:
        return fields[-1]
    type = messages[0].type
    both = _settled(type, [field for message in messages for field in message.fields])
    return replace(fields[-1], value=replace(messages[-1], fields=both))
