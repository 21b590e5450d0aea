"""The tables of caffe.proto against the description that OpenCV's wheel carries of it. They test no reader."""

from __future__ import annotations

from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2  # type: ignore[import-untyped]

from netspec.importers.caffe.schema import ENUMS, LAYER_TYPES, MESSAGES, SCALARS, Slot
from netspec_runtime.wire import WireError, fields

_START = b"\x0a\x12opencv-caffe.proto\x12"  # name and package: how a FileDescriptorProto begins
_LAST_FIELD = 12  # of a FileDescriptorProto
_FIELD = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    _FIELD.TYPE_STRING: "string",
    _FIELD.TYPE_FLOAT: "float",
    _FIELD.TYPE_DOUBLE: "double",
    _FIELD.TYPE_INT32: "int32",
    _FIELD.TYPE_INT64: "int64",
    _FIELD.TYPE_UINT32: "uint32",
    _FIELD.TYPE_BOOL: "bool",
}
# What OpenCV's copy has that BVLC's last version has not, or has otherwise: it is of another branch (SSD).
_OF_OTHER_BRANCHES = {
    *(("LayerParameter", number) for number in (147, 148, 149, 150, 201, 10002, 8266711)),
    *(
        ("BlobProto", 10),
        ("BlobProto", 12),
        ("BatchNormParameter", 7),
        ("DropoutParameter", 2),
        ("PoolingParameter", 13),
    ),
}


@cache
def opencv() -> Any:
    """The FileDescriptorProto of caffe.proto in OpenCV's library."""
    cv2 = pytest.importorskip("cv2", reason="needs opencv-python-headless")
    library = next(Path(cv2.__file__).parent.glob("cv2*.so")).read_bytes()
    start = library.find(_START)
    if start < 0:
        pytest.skip("this OpenCV carries no description of caffe.proto")
    end = start
    try:
        for field in fields(library, start, len(library)):
            if field.number > _LAST_FIELD:
                break
            end = field.end
    except WireError:
        pass  # what follows it in the library is no field
    return descriptor_pb2.FileDescriptorProto.FromString(library[start:end])


def test_fields_have_the_numbers_names_and_kinds_of_caffe() -> None:
    known = {message.name: message for message in opencv().message_type}
    compared = 0
    for name in MESSAGES.keys() & known.keys():
        for field in known[name].field:
            if (name, field.number) not in _OF_OTHER_BRANCHES:
                many = field.label == _FIELD.LABEL_REPEATED
                kind = _KINDS.get(field.type, field.type_name.rsplit(".", 1)[-1])
                assert MESSAGES[name].by_number[field.number] == Slot(field.number, field.name, kind, many), name
                compared += 1
    assert compared > 300


def test_enums_have_the_words_and_numbers_of_caffe() -> None:
    theirs = {enum.name: enum for enum in opencv().enum_type}
    theirs |= {enum.name: enum for message in opencv().message_type for enum in message.enum_type}
    assert len(ENUMS.keys() - {"RoundMode"} & theirs.keys()) > 10
    for name in ENUMS.keys() & theirs.keys():
        assert dict(ENUMS[name]) == {value.number: value.name for value in theirs[name].value}, name


def test_every_kind_is_known() -> None:
    kinds = {slot.kind for shape in MESSAGES.values() for slot in shape.by_name.values()}
    assert kinds <= {*SCALARS, *ENUMS, *MESSAGES}


def test_no_message_holds_itself() -> None:
    """The readers rely on it: they count no depth."""
    TopologicalSorter(
        {name: {slot.kind for slot in shape.by_name.values()} for name, shape in MESSAGES.items()}
    ).prepare()


def test_types_of_layers_are_those_of_the_older_form_without_underscores() -> None:
    irregular = {"SOFTMAX_LOSS": "SoftmaxWithLoss"}
    for word, type in LAYER_TYPES.items():
        assert irregular.get(word, type).lower() == (irregular.get(word) or word.replace("_", "")).lower()


def test_what_layers_has_layer_has_too() -> None:
    """So that a layer of the older form can be taken over field by field."""
    own = {"layer", "type", "blobs_lr", "weight_decay", "param", "blob_share_mode"}
    newer = MESSAGES["LayerParameter"].by_name
    for slot in MESSAGES["V1LayerParameter"].by_name.values():
        if slot.name not in own:
            assert (newer[slot.name].kind, newer[slot.name].many) == (slot.kind, slot.many)
