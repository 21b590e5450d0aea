"""Files of weights: every form that Caffe wrote, where their numbers lie, and files that are none or damaged."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np
import pytest

from netspec.importers.caffe import binary
from netspec.importers.caffe.caffemodel import read_caffemodel, read_mean
from netspec.importers.remark import Remarks
from netspec_runtime.errors import DataError
from netspec_runtime.wire import BYTES, bytes_field, number_field, varint
from tests.importers.caffe.google import message_class

_LAYER, _LAYERS, _BLOBS, _DATA, _SHAPE, _DOUBLES = 100, 2, 7, 5, 7, 8  # numbers of fields
_RANDOM = np.random.default_rng(4)


def weights(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return _RANDOM.standard_normal(shape, np.float32)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_caffemodel(path, Remarks())
    assert caught.value.where == str(path)
    return str(caught.value)


def fill(blob: Any, array: np.ndarray[Any, Any], *, legacy: bool = False, double: bool = False) -> None:
    if legacy:
        sizes = [1] * (4 - array.ndim) + list(array.shape)
        blob.num, blob.channels, blob.height, blob.width = sizes
    else:
        blob.shape.dim.extend(array.shape)
    (blob.double_data if double else blob.data).extend(array.ravel().tolist())


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("form", ["layer", "layers", "layers of layer"])
def test_every_form_of_weights(tmp_path: Path, form: str, *, packed: bool, legacy: bool, double: bool) -> None:
    weight, bias = weights(8, 3, 5, 5), weights(8)
    net = message_class("NetParameter", packed=packed)(name="n")
    layer = net.layer.add() if form == "layer" else net.layers.add()
    layer = layer.layer if form == "layers of layer" else layer
    layer.name, layer.type = "conv1", {"layer": "Convolution", "layers": 4, "layers of layer": "conv"}[form]
    fill(layer.blobs.add(), weight, legacy=legacy, double=double)
    fill(layer.blobs.add(), bias, legacy=legacy, double=double)
    model = read_caffemodel(write(tmp_path / "n.caffemodel", net.SerializeToString()), Remarks())
    assert model.net.text("name") == "n"
    (upgraded,) = model.net.children("layer")
    assert upgraded.text("type") == "Convolution"
    first, second = model.blobs["conv1"]
    assert first.shape == (8, 3, 5, 5)
    assert second.shape == ((1, 1, 1, 8) if legacy else (8,))
    assert (first.legacy, second.legacy) == (legacy, legacy)
    assert first.data.tobytes() == weight.tobytes()
    assert second.data.tobytes() == bias.tobytes()
    assert first.data.dtype == np.float32


def test_numbers_are_views_of_the_file(tmp_path: Path) -> None:
    net = message_class("NetParameter")()
    layer = net.layer.add(name="fc", type="InnerProduct")
    fill(layer.blobs.add(), weights(1000, 1000))
    path = write(tmp_path / "n.caffemodel", net.SerializeToString())
    del net, layer
    tracemalloc.start()
    model = read_caffemodel(path, Remarks())
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert model.blobs["fc"][0].data.size == 1_000_000
    assert taken < 1_000_000, "the four megabytes were copied"


def test_numbers_in_pieces_and_among_others(tmp_path: Path) -> None:
    """Caffe never wrote so, but any reader of protobuf takes it."""
    one = bytes([_DATA << 3 | 5]) + pack("<f", 1.5)
    blob = (
        one * 3
        + bytes_field(_DATA, pack("<2f", 2, 3))
        + bytes_field(6, pack("<f", 9))  # diff
        + one
        + number_field(99, 7)
        + (b"\xad\x00" + pack("<f", 4)) * 2  # the tag in two bytes where one would do
        + bytes_field(_SHAPE, bytes_field(1, varint(2)) + number_field(1, 4))
    )  # fmt: skip
    layer = bytes_field(1, b"a") + bytes_field(_BLOBS, blob)
    model = read_caffemodel(write(tmp_path / "n.caffemodel", bytes_field(_LAYER, layer)), Remarks())
    assert model.blobs["a"][0].data.tolist() == [[1.5, 1.5, 1.5, 2], [3, 1.5, 4, 4]]


def test_float64_wins_where_both_are_there(tmp_path: Path) -> None:
    blob = bytes_field(_DATA, pack("<f", 1)) + bytes_field(_DOUBLES, pack("<d", 2)) + number_field(1, 1)
    blob += number_field(2, 1) + number_field(3, 1) + number_field(4, 1)
    layer = bytes_field(1, b"a") + bytes_field(_BLOBS, blob)
    model = read_caffemodel(write(tmp_path / "n.caffemodel", bytes_field(_LAYER, layer)), Remarks())
    assert model.blobs["a"][0].data.ravel().tolist() == [2]


def test_numbers_of_options_are_the_shortest_that_they_can_be(tmp_path: Path) -> None:
    net = message_class("NetParameter")()
    net.layer.add(name="norm1", type="LRN").lrn_param.alpha = 1e-4
    path = write(tmp_path / "n.caffemodel", net.SerializeToString())
    (layer,) = read_caffemodel(path, Remarks()).net.children("layer")
    assert layer.child("lrn_param").number("alpha") == 1e-4


def test_the_squeezenet_file_as_google_reads_it(shared: Path) -> None:
    path = shared / "data" / "squeezenet-1.0" / "squeezenet_v1.0.caffemodel"
    remarks = Remarks()
    model = read_caffemodel(path, remarks)
    google = message_class("NetParameter").FromString(path.read_bytes())
    expected = {layer.name: layer.blobs for layer in google.layer if layer.blobs}
    assert model.blobs.keys() == expected.keys()
    for name, blobs in expected.items():
        for ours, theirs in zip(model.blobs[name], blobs, strict=True):
            assert ours.shape == tuple(theirs.shape.dim)
            assert ours.data.ravel().tolist() == list(theirs.data)
    assert sum(blob.data.size for blobs in model.blobs.values() for blob in blobs) == 1_248_424
    assert not remarks.items


@pytest.mark.parametrize("legacy", [True, False])
def test_means(tmp_path: Path, *, legacy: bool) -> None:
    mean = weights(3, 4, 5)
    message = message_class("BlobProto")()
    fill(message, mean, legacy=legacy)
    blob = read_mean(write(tmp_path / "mean.binaryproto", message.SerializeToString()))
    assert blob.shape == (1, 3, 4, 5)
    assert blob.data.tobytes() == mean.tobytes()


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4, 4), (0, 4, 4)])
def test_blobs_that_are_no_mean(tmp_path: Path, shape: tuple[int, ...]) -> None:
    message = message_class("BlobProto")()
    fill(message, weights(*shape))
    path = write(tmp_path / "mean.binaryproto", message.SerializeToString())
    with pytest.raises(DataError, match="a mean image has channels, height and width"):
        read_mean(path)


def blob_of(shape: bytes, numbers: bytes) -> bytes:
    """A net of one layer with one blob."""
    blob = bytes_field(_SHAPE, shape) + numbers
    return bytes_field(_LAYER, bytes_field(1, b"a") + bytes_field(_BLOBS, blob))


_HUGE = bytes_field(1, varint(1_000_000) + varint(1_000_000))
_FOUR = varint(_DATA << 3 | BYTES) + varint(4) + pack("<f", 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file"),
        (b"PK\x03\x04", "it is a ZIP archive"),
        (b"\x1f\x8b\x08", "it is a gzip archive"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"<!DOCTYPE html>", "it is a web page"),
        (b'name: "AlexNet"\nlayer {', "no file of Caffe's"),
        (b"\x00\x00", "field number 0 at byte 0"),
        (b"\x0a", "it breaks off at byte 1"),
        (b"\x0a\xff\xff\xff\xff\x0f\x00", "4294967295 bytes claimed at byte 1, 1 left"),
        (b"\x20" + b"\xff" * 11, "a number of more than ten bytes"),
        (b"\x0b", "wire type 3 at byte 1"),
        (number_field(99, 1), "there are no layers in it"),
        (blob_of(_HUGE, _FOUR), "a blob of 1,000,000 x 1,000,000 has 1,000,000,000,000 numbers, and 1 are there"),
        (
            blob_of(bytes_field(1, varint(1 << 40) * 32), _FOUR),
            "has over 1,000,000,000,000,000 numbers, and 1 are there",
        ),
        (blob_of(bytes_field(1, varint(1) * 33), _FOUR), "no blob has 33 axes"),
        (blob_of(bytes_field(1, varint((1 << 64) - 1)), _FOUR), "no blob has 1 axes of sizes -1"),
        (blob_of(_HUGE, varint(_DATA << 3 | BYTES) + varint(4 * 10**12)), "bytes claimed"),
        (blob_of(b"", bytes_field(_DATA, b"\0\0\0")), "3 bytes at byte"),
        (blob_of(b"", bytes([_DATA << 3 | 5, 0, 0])), "4 bytes claimed"),
        (bytes_field(_LAYER, bytes_field(1, b"x" * (binary.LONGEST_TEXT + 1))), "a text of 1,048,577 bytes"),
        (bytes_field(_LAYER, bytes_field(118, b"\x15" + pack("<f", np.inf))), "not finite at byte"),
        (bytes_field(_LAYER, bytes_field(5, b"\0\0\0")), "the list at byte"),
        (blob_of(b"", _FOUR) * 2, "two layers are called `a`"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in refused(write(tmp_path / "n.caffemodel", content))


@pytest.mark.slow
def test_files_of_tiny_fields_are_refused_soon(tmp_path: Path) -> None:
    """Each of these would keep a reader busy that takes what it is given."""
    many = binary.MOST_FIELDS + 1
    for content in (
        number_field(5, 1) * many,
        bytes_field(4, b"\1" * many),
        bytes_field(_LAYER, bytes_field(_BLOBS, bytes_field(_DATA, b"") * many)),
        bytes_field(_LAYER, bytes_field(_BLOBS, (bytes([_DATA << 3 | 5]) + bytes(4) + b"\x08\1") * many)),
    ):
        assert "more than 200,000 fields" in refused(write(tmp_path / "n.caffemodel", content))


def test_a_singular_message_in_many_pieces_is_one(tmp_path: Path) -> None:
    state = bytes_field(6, bytes_field(3, b"a"))
    path = write(tmp_path / "n.caffemodel", state * 20_000 + bytes_field(_LAYER, b""))
    assert len(read_caffemodel(path, Remarks()).net.child("state").texts("stage")) == 20_000


def test_places_that_are_no_file(tmp_path: Path) -> None:
    assert "cannot read" in refused(tmp_path / "missing.caffemodel")
    assert "this is no file" in refused(tmp_path)
    assert "this is no file" in refused(Path("/dev/zero"))
