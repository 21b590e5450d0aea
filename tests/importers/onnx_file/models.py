"""Small ONNX models for tests, and what onnxruntime makes of a model and of the net that it was read to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from netspec.backends.onnx.model import merged_graph, write_merged
from netspec.importers.onnx_file.net import OnnxOptions, read_onnx
from netspec.importers.remark import Imported
from netspec.pipeline import Compiled, compile_spec

Floats = NDArray[np.float32]
GRAPH_ONLY = OnnxOptions(carried=False)


def model(
    nodes: Iterable[NodeProto],
    constants: Mapping[str, NDArray[Any]],
    outputs: Sequence[str] = ("y",),
    image: Sequence[int | str] = ("N", 3, 8, 8),
    opset: int = 18,
) -> bytes:
    """A model that reads ``x``; constants are initializers."""
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(image))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return cast(bytes, made.SerializeToString())


def node(op: str, inputs: str, output: str = "y", **attributes: Any) -> NodeProto:
    """An operator; ``inputs`` are names with blanks between them, `-` for one that is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, output.split(), name=f"{op.lower()}_of_{output}", **attributes)


def imported(content: bytes, folder: Path, options: OnnxOptions = GRAPH_ONLY) -> Imported:
    """What a model is read to."""
    path = folder / "model.onnx"
    path.write_bytes(content)
    return read_onnx(path, options)


def rebuilt(found: Imported, folder: Path) -> bytes:
    """The file that is built of what was read, with its weights."""
    net = compile_spec(found.spec)
    tensors = found.tensors
    assert tensors is not None
    assert {p.name: p.parameter.dims for p in net.typed.parameters} == {n: t.shape for n, t in tensors.items()}

    def fill(arrays: dict[str, Floats]) -> None:
        for name, array in arrays.items():
            array[...] = tensors[name]

    path = folder / "again.onnx"
    write_merged(path, merged_graph(found.spec, net.merged, "fast", ()), fill)
    return path.read_bytes()


def run(content: bytes | str, batch: Floats) -> list[Floats]:
    """All outputs in onnxruntime, on one thread. Inputs beside the image are given zeros."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    image = next(i.name for i in inputs if len(i.shape) == 4)
    feed = {i.name: batch if i.name == image else np.zeros(i.shape, np.float32) for i in inputs}
    return cast(list[Floats], session.run(None, feed))


def apart(one: Sequence[Floats], other: Sequence[Floats]) -> float:
    """The largest difference of outputs, over the largest number (at least 1); infinite where sizes differ."""
    if [a.size for a in one] != [b.size for b in other]:
        return float("inf")
    pairs = [(a.reshape(-1), b.reshape(-1)) for a, b in zip(one, other, strict=True)]
    return max(float(np.abs(a - b).max() / max(1.0, np.abs(a).max())) for a, b in pairs)


def difference(content: bytes, folder: Path, image: Sequence[int] = (2, 3, 8, 8), seed: int = 0) -> float:
    """How far the net that a model is read to is from the model, on random numbers."""
    batch = np.random.default_rng(seed).standard_normal(tuple(image)).astype(np.float32)
    return apart(run(content, batch), run(rebuilt(imported(content, folder), folder), batch))


def types(found: Imported) -> list[str]:
    """The layer types in order."""
    return [layer.type for layer in found.spec.layers.values()]


def compiled(found: Imported) -> Compiled:
    """All stages of the spec."""
    return compile_spec(found.spec)


def numbers(*dims: int, seed: int = 1) -> Floats:
    """Random weights."""
    return (np.random.default_rng(seed).standard_normal(dims) / 2).astype(np.float32)


def without_metadata(content: bytes) -> bytes:
    """The same graph, with nothing that says that netspec wrote it, and with other names."""
    proto = onnx.ModelProto.FromString(content)
    del proto.metadata_props[:]
    proto.producer_name = "somebody"
    for number, one in enumerate(proto.graph.node):
        one.name = f"node_{number}"
    return cast(bytes, proto.SerializeToString())
