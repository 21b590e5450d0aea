"""Both formats against Google's own protobuf: what it writes is read to the same values, and damage is no other net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from netspec.diagnostics import SpecError
from netspec.importers.caffe.binary import read_binary, read_blob
from netspec.importers.caffe.prototxt import read_prototxt
from netspec.importers.caffe.schema import ENUMS, MESSAGES, Slot
from netspec.importers.remark import Remarks
from netspec.source import Source
from tests.importers.caffe.google import message_class, plain_of_google, plain_of_ours
from tests.importers.caffe.mutants import text_mutant

_FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
_SCALARS = {
    "string": st.text(max_size=12),
    "float": _FINITE,
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "int32": st.integers(-(1 << 31), (1 << 31) - 1),
    "int64": st.integers(-(1 << 63), (1 << 63) - 1),
    "uint32": st.integers(0, (1 << 32) - 1),
    "bool": st.booleans(),
}
_DEEPEST = 3
_NETS = st.sampled_from(("NetParameter", "SolverParameter", "LayerParameter", "V1LayerParameter", "V0LayerParameter"))


@st.composite
def messages(draw: st.DrawFn, name: str, *, packed: bool, depth: int = 0) -> Any:
    """A message that Google's library made, with some of its fields."""
    message = message_class(name, packed=packed)()
    if name == "BlobProto":
        return draw(blobs(packed=packed))
    slots = [slot for slot in MESSAGES[name].by_number.values() if slot.number]
    nested = [slot for slot in slots if slot.kind in MESSAGES and depth < _DEEPEST]
    plain = [slot for slot in slots if slot.kind not in MESSAGES]
    for slots_of_a_kind, most in ((plain, 4), (nested, 3)):
        for slot in draw(st.lists(st.sampled_from(slots_of_a_kind), max_size=most)) if slots_of_a_kind else ():
            _set(draw, message, slot, packed=packed, depth=depth)
    return message


def _set(draw: st.DrawFn, message: Any, slot: Slot, *, packed: bool, depth: int) -> None:
    if slot.kind in MESSAGES:
        value = draw(messages(slot.kind, packed=packed, depth=depth + 1))
        (getattr(message, slot.name).add() if slot.many else getattr(message, slot.name)).CopyFrom(value)
        return
    values = st.sampled_from(list(ENUMS[slot.kind])) if slot.kind in ENUMS else _SCALARS[slot.kind]
    if slot.many:
        getattr(message, slot.name).extend(draw(st.lists(values, max_size=3)))
    else:
        setattr(message, slot.name, draw(values))


@st.composite
def blobs(draw: st.DrawFn, *, packed: bool) -> Any:
    """Numbers with the shape that they have, in one of the two forms, as float32 or float64."""
    message = message_class("BlobProto", packed=packed)()
    sizes = draw(st.lists(st.integers(0, 5), min_size=4, max_size=4))
    count = sizes[0] * sizes[1] * sizes[2] * sizes[3]
    if draw(st.booleans()):
        message.num, message.channels, message.height, message.width = sizes
    else:
        message.shape.dim.extend(sizes)
    name = draw(st.sampled_from(("data", "double_data")))
    getattr(message, name).extend(draw(st.lists(_FINITE, min_size=count, max_size=count)))
    message.diff.extend(draw(st.lists(_FINITE, max_size=3)))
    return message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("google")


@given(st.data(), _NETS, st.booleans())
def test_what_google_writes_in_binary_is_read_alike(folder: Path, data: st.DataObject, name: str, packed: bool) -> None:
    message = data.draw(messages(name, packed=packed))
    path = folder / "google.bin"
    path.write_bytes(message.SerializeToString() + b"\x98\x7f\x01")  # an unknown field, as an empty file is none
    assert plain_of_ours(read_binary(path, name)) == plain_of_google(message)


@given(st.data(), _NETS, st.booleans(), st.booleans())
def test_what_google_writes_as_text_is_read_alike(
    data: st.DataObject,
    name: str,
    as_utf8: bool,
    as_one_line: bool,
) -> None:
    message = data.draw(messages(name, packed=True))
    text = text_format.MessageToString(message, as_utf8=as_utf8, as_one_line=as_one_line)
    remarks = Remarks()
    assert plain_of_ours(read_prototxt(Source("net.prototxt", text), remarks, name)) == plain_of_google(message)
    assert not remarks.items


@given(st.data(), st.booleans())
def test_blobs_that_google_writes_are_read_alike(folder: Path, data: st.DataObject, packed: bool) -> None:
    message = data.draw(blobs(packed=packed))
    path = folder / "google.binaryproto"
    path.write_bytes(message.SerializeToString())
    blob = read_blob(path)
    assert (blob.shape, blob.data.tobytes()) == plain_of_google(message)
    assert blob.legacy == message.HasField("num")


@given(st.data(), st.sampled_from(("NetParameter", "LayerParameter", "SolverParameter")))
def test_messages_one_after_the_other_are_merged_as_google_does(folder: Path, data: st.DataObject, name: str) -> None:
    both = [data.draw(messages(name, packed=False)).SerializeToString() for _ in range(2)]
    path = folder / "merged.bin"
    path.write_bytes(b"".join(both) + b"\x98\x7f\x01")
    expected = message_class(name)()
    expected.ParseFromString(b"".join(both))
    assert plain_of_ours(read_binary(path, name)) == plain_of_google(expected)


@pytest.mark.parametrize("start", range(0, 1500, 500))
def test_damaged_text_is_the_same_net_or_none(start: int) -> None:
    """Where both readers take a text they read the same; what Google's refuses, ours takes only with a remark."""
    taken = 0
    for seed in range(start, start + 500):
        text, remarks = text_mutant(seed), Remarks()
        try:
            ours = plain_of_ours(read_prototxt(Source("mutant.prototxt", text), remarks))
        except SpecError:
            continue
        try:
            google = text_format.Parse(text, message_class("NetParameter")(), allow_unknown_field=True)
        except text_format.ParseError:
            assert remarks.items or "- " in text, f"mutant {seed} is refused by Google"
            continue
        assert ours == plain_of_google(google), f"mutant {seed}"
        taken += 1
    assert taken > 20
