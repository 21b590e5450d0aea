"""Files of weights and means that Caffe wrote: the net in them, and its blobs by layer. It matches them to no spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from netspec.importers.caffe.binary import read_binary, read_blob
from netspec.importers.caffe.mapped import FIX
from netspec.importers.caffe.message import Blob, Message
from netspec.importers.caffe.upgrade import upgraded
from netspec.importers.remark import Remarks
from netspec_runtime.errors import DataError


@dataclass(frozen=True)
class CaffeModel:
    """A .caffemodel: its net in the last form (``layer``, with the Split layers that Caffe added), and its weights.

    ``blobs`` are those of each layer that has any, by the layer's name; their numbers lie in the mapped file.
    """

    net: Message
    blobs: Mapping[str, tuple[Blob, ...]]


def read_caffemodel(path: Path, remarks: Remarks) -> CaffeModel:
    """A file of weights in any of Caffe's forms; nothing is copied but numbers that Caffe wrote as float64.

    Raises DataError where it is damaged, holds no layers, or has two layers of one name with weights; SpecError for a
    net that no Caffe would take.
    """
    net = upgraded(read_binary(path, "NetParameter"), remarks)
    layers = net.children("layer")
    if not layers:
        raise DataError(str(path), "there are no layers in it: it is no net of Caffe's", FIX)
    blobs: dict[str, tuple[Blob, ...]] = {}
    for layer in layers:
        own, name = layer.blobs(), layer.text("name", "")
        if own and name in blobs:
            raise DataError(str(path), f"two layers are called `{name[:80]}` and have weights", FIX)
        if own:
            blobs[name] = own
    return CaffeModel(net, blobs)


def read_mean(path: Path) -> Blob:
    """A mean image (``mean.binaryproto``): 1 x channels x height x width, on the scale 0 to 255, mostly blue first.

    Raises DataError where it is damaged or no picture.
    """
    blob = read_blob(path)
    sizes = blob.shape[1:] if len(blob.shape) == 4 and blob.shape[0] == 1 else blob.shape
    if len(sizes) != 3 or not blob.data.size:
        shape = " x ".join(map(str, blob.shape)) or "no axes"
        raise DataError(str(path), f"a mean image has channels, height and width; this blob has {shape}", FIX)
    return Blob((1, *sizes), blob.data.reshape((1, *sizes)), blob.legacy)
