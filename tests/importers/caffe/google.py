"""Caffe's messages for Google's own protobuf, which is the reference for both formats. It reads no file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

from netspec.importers.caffe.message import Blob, Message
from netspec.importers.caffe.schema import ENUMS, MESSAGES

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _FIELD.TYPE_STRING,
    "float": _FIELD.TYPE_FLOAT,
    "double": _FIELD.TYPE_DOUBLE,
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "uint32": _FIELD.TYPE_UINT32,
    "bool": _FIELD.TYPE_BOOL,
}

_OF_TEXT = 500  # the number here of a field that only text files have

Plain = Any  # what a message comes to: (name, value) pairs, values that compare


def message_class(name: str, *, packed: bool = True) -> Any:
    """The class of a message of caffe.proto; ``packed``: whether it writes lists of numbers packed."""
    return message_factory.GetMessageClass(_pool(packed=packed).FindMessageTypeByName(f"caffe.{name}"))


@cache
def _pool(*, packed: bool) -> Any:
    file = descriptor_pb2.FileDescriptorProto(name=f"caffe-{packed}.proto", package="caffe", syntax="proto2")
    for enum, words in ENUMS.items():  # words of enums share a name space: each has one of its own
        holder = file.message_type.add(name=f"Of{enum}").enum_type.add(name=enum)
        for number, word in words.items():
            holder.value.add(name=word, number=number)
    for message, shape in MESSAGES.items():
        descriptor = file.message_type.add(name=message)
        for slot in shape.by_name.values():
            _add(descriptor, slot.name, slot.number or _OF_TEXT, slot.kind, many=slot.many, packed=packed)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _add(descriptor: Any, name: str, number: int, kind: str, *, many: bool, packed: bool) -> None:
    label = _FIELD.LABEL_REPEATED if many else _FIELD.LABEL_OPTIONAL
    field = descriptor.field.add(name=name, number=number, label=label)
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _FIELD.TYPE_ENUM if kind in ENUMS else _FIELD.TYPE_MESSAGE
        field.type_name = f".caffe.Of{kind}.{kind}" if kind in ENUMS else f".caffe.{kind}"
    if many and kind != "string" and kind not in MESSAGES:
        field.options.packed = packed


def plain_of_google(message: Any) -> Plain:
    """Its fields as sorted (name, values) pairs; BlobProtos as shape and numbers."""
    if message.DESCRIPTOR.name == "BlobProto":
        return _plain_blob(message)
    return {field.name: _values(message, field) for field, _ in message.ListFields()}


def plain_of_ours(message: Message) -> Plain:
    plain: dict[str, list[Plain]] = {}
    for field in message.fields:
        plain.setdefault(field.name, []).append(_ours(field.value))
    return plain


def _ours(value: object) -> Plain:
    if isinstance(value, Message):
        return plain_of_ours(value)
    if isinstance(value, Blob):
        return value.shape, value.data.tobytes()
    return np.float32(value) if isinstance(value, float) else value


def _values(message: Any, field: Any) -> list[Plain]:
    value = getattr(message, field.name)
    return [_google(field, one) for one in (value if field.is_repeated else [value])]


def _google(field: Any, value: Any) -> Plain:
    if field.message_type is not None:
        return plain_of_google(value)
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    return np.float32(value) if isinstance(value, float) else value


def _plain_blob(message: Any) -> Plain:
    sizes: Mapping[str, int] = {name: getattr(message, name) for name in ("num", "channels", "height", "width")}
    legacy = any(message.HasField(name) for name in sizes)
    shape = tuple(sizes.values()) if legacy else tuple(message.shape.dim)
    numbers = message.double_data or message.data
    return shape, np.array(numbers, np.float32).reshape(shape).tobytes()
