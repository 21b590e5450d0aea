"""Small netspec ONNX files for the tests, written as the contract says: metadata, aligned raw_data, sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from netspec_runtime.model_file import ALIGNMENT, BIG, SEAL_KEY, seal
from netspec_runtime.wire import bytes_field, number_field, varint

SIDE = 16
CLASSES = 5
PREPROCESSING: Mapping[str, object] = {
    "resize": 20,
    "crop": [SIDE, SIDE],
    "channels": "rgb",
    "mean": [120.0, 110.0, 100.0],
    "std": [50.0, 60.0, 70.0],
    "interpolation": "bilinear",
    "views": 10,
}
LABELS = ("shark", "junco", "vulture", "sea turtle", "lizard")


@dataclass(frozen=True)
class SmallNet:
    """conv + relu + fc + softmax from [N, channels, SIDE, SIDE] to CLASSES; ``metadata`` is what the file says."""

    channels: int = 3
    seed: int = 0
    metadata: Mapping[str, str] = field(
        default_factory=lambda: {
            "netspec.version": "0.1.0",
            "netspec.spec": "netspec: 1\n",
            "netspec.hash": "0" * 64,
            "netspec.licence": "MIT",
            "netspec.labels": json.dumps(LABELS),
            "netspec.preprocessing": json.dumps(PREPROCESSING),
        }
    )

    def weights(self) -> dict[str, NDArray[np.float32]]:
        random = np.random.default_rng(self.seed)
        shapes = {"conv1.weight": (8, self.channels, 5, 5), "conv1.bias": (8,)}
        shapes |= {"fc.weight": (CLASSES, 8 * 7 * 7), "fc.bias": (CLASSES,)}
        return {name: random.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()}

    def graph(self) -> onnx.GraphProto:
        """Without its weights."""
        nodes = [
            helper.make_node(
                "Conv", ["data", "conv1.weight", "conv1.bias"], ["conv1"], strides=[2, 2], pads=[1, 1, 1, 1]
            ),
            helper.make_node("Relu", ["conv1"], ["relu1"]),
            helper.make_node("Flatten", ["relu1"], ["flat"]),
            helper.make_node("Gemm", ["flat", "fc.weight", "fc.bias"], ["fc"], transB=1),
            helper.make_node("Softmax", ["fc"], ["probs"]),
        ]
        data = helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", self.channels, SIDE, SIDE])
        probs = helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["N", CLASSES])
        return helper.make_graph(nodes, "small", [data], [probs])

    def plain_bytes(self) -> bytes:
        """As the onnx package writes it: no alignment, no seal."""
        graph = self.graph()
        graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in self.weights().items())
        return bytes(model(graph, self.metadata).SerializeToString())

    def write(self, path: Path, *, sealed: bool = True) -> Path:
        """As `netspec build` writes it."""
        metadata = {**self.metadata, SEAL_KEY: "0" * 64} if sealed else self.metadata
        path.write_bytes(aligned(self.graph(), metadata, self.weights()))
        if sealed:
            seal(path)
        return path


def model(graph: onnx.GraphProto, metadata: Mapping[str, str]) -> onnx.ModelProto:
    """Opset 18, IR 10."""
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(made, dict(metadata))
    return made


def aligned(graph: onnx.GraphProto, metadata: Mapping[str, str], weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The bytes of a model in which the numbers of each large weight start at a multiple of ALIGNMENT."""
    head = model(onnx.GraphProto(), metadata)
    head.ClearField("graph")
    start = bytes(head.SerializeToString())
    body = bytearray(graph.SerializeToString())
    base = len(start) + 6  # the graph's tag and its length in five bytes
    for name, value in weights.items():
        body += _initializer(name, value, base + len(body))
    length = bytes(len(body) >> 7 * i & 0x7F | (0x80 if i < 4 else 0) for i in range(5))
    return start + varint(7 << 3 | 2) + length + bytes(body)


def _initializer(name: str, value: NDArray[np.float32], position: int) -> bytes:
    """A field `initializer` that will stand at ``position``, padded with a doc_string until its numbers are aligned."""
    raw = value.tobytes()
    dims = b"".join(number_field(1, size) for size in value.shape)
    for padding in range(ALIGNMENT + 2):
        head = dims + number_field(2, TensorProto.FLOAT) + bytes_field(8, name.encode())
        whole = bytes_field(5, head + bytes_field(12, b" " * padding) + bytes_field(9, raw))
        if len(raw) < BIG or (position + len(whole) - len(raw)) % ALIGNMENT == 0:
            return whole
    raise AssertionError(name)


def described(changes: Mapping[str, object], labels: Sequence[str] | None = LABELS) -> dict[str, str]:
    """Metadata with some of PREPROCESSING changed."""
    names = {} if labels is None else {"netspec.labels": json.dumps(list(labels))}
    return {"netspec.version": "0.1.0", "netspec.preprocessing": json.dumps({**PREPROCESSING, **changes})} | names
