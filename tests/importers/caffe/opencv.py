"""Small Caffe nets run twice: by OpenCV's own Caffe importer, and as netspec imports them. It asserts nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from netspec.backends.torch import emit_module
from netspec.importers.remark import Imported
from netspec.pipeline import compile_spec
from netspec.proof.modules import load_classes, merged_module
from netspec_runtime.wire import bytes_field
from tests.importers.caffe.google import message_class

_DATA = 5  # the number of BlobProto's `data`
Array = NDArray[np.float32]
Shapes = Mapping[str, Sequence[tuple[int, ...]]]


def random_blobs(shapes: Shapes, seed: int = 0) -> dict[str, list[Array]]:
    """Normal numbers of standard deviation 0.5, by layer."""
    random = np.random.default_rng(seed)
    return {name: [random.normal(0, 0.5, shape).astype(np.float32) for shape in own] for name, own in shapes.items()}


def write_caffemodel(path: Path, blobs: Mapping[str, Sequence[Array]], net: object = None) -> Path:
    """A file of weights: the layers of ``net``, a message of Google's protobuf, with these blobs; or blobs by name."""
    message = message_class("NetParameter")()
    if net is not None:
        message.CopyFrom(net)
    layers = {layer.name: layer for layer in message.layer}
    for name, arrays in blobs.items():
        layer = layers.get(name) or message.layer.add(name=name)
        for array in arrays:
            blob = layer.blobs.add(shape={"dim": array.shape})
            blob.MergeFromString(
                bytes_field(_DATA, array.tobytes())
            )  # number by number would take a minute for AlexNet
    path.write_bytes(message.SerializeToString())
    return path


def opencv_values(prototxt: Path, weights: Path | None, batch: Array, names: Sequence[str]) -> dict[str, Array]:
    """What OpenCV computes for each layer."""
    net = cv2.dnn.readNetFromCaffe(str(prototxt), str(weights or ""))
    net.enableFusion(False)
    net.setInput(batch)
    found = net.forward(list(names))
    return {name: np.asarray(value, np.float32) for name, value in zip(names, found, strict=True)}


def our_values(imported: Imported, batch: Array) -> dict[str, Array]:
    """What the generated module computes for each layer of the spec."""
    compiled = compile_spec(imported.spec)
    source = emit_module(compiled.spec, compiled.merged, compiled.placed, trace=True)
    merged, _ = load_classes(source, compiled.spec.name)
    weights = {name: np.array(array, np.float32) for name, array in (imported.tensors or {}).items()}
    with torch.no_grad():
        found = merged_module(merged, weights)(torch.from_numpy(batch))
    return {name: value.numpy() for name, value in found.items()}


def pairs_of(imported: Imported) -> dict[str, str]:
    """For each layer of the spec the Caffe layer whose output it is: of several, the last, as neurons are folded."""
    layers = imported.spec.layers
    return {origin.layer: origin.name for origin in imported.origins if origin.layer in layers}
