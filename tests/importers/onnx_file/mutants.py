"""Damaged ONNX files: bytes and fields of whole ones, changed at random. A seed always gives the same file."""

from __future__ import annotations

from random import Random
from typing import cast

import numpy as np
import onnx
from onnx import helper

from netspec_runtime.model_file import SEAL_KEY
from tests.conformance.forms import Forms
from tests.importers.onnx_file.models import model, node, numbers

_NET = """
netspec: 1
name: damaged
input: {channels: 3, size: 8}
layers:
  soft:  {type: blur, inputs: data, size: 3, stdev: 1}
  conv:  {type: conv, inputs: [data, soft], filters: 4, size: 3, neuron: "tanh[1.7, 0.67]"}
  norm:  {type: rnorm, inputs: conv, size: 3}
  other: {type: cnorm, inputs: norm, size: 3}
  local: {type: local, inputs: other, filters: 2, size: 3, neuron: softrelu}
  large: {type: pool, inputs: local, pool: maxabs, size: 2, stride: 2}
  fc:    {type: fc, inputs: [large, conv], outputs: 4, groups: 2}
"""
_HUGE = (0, -1, 1, 2, 7, 2**31 - 1, 2**31, 2**40, 2**62, -(2**63))
_TEXTS = ("", "x", "y", "c", "w", "\0", "f" * 300, "conv1/0_conv", "é", "Conv", "Sum", "Einsum", "Transpose")
_OPS = (
    *("Conv", "Gemm", "MatMul", "MaxPool", "AveragePool", "LRN", "Softmax", "Reshape", "Slice", "Split", "Concat"),
    *("Add", "Mul", "Div", "Sub", "Where", "Pow"),
)
_KEYS = (
    *("kernel_shape", "strides", "pads", "dilations", "group", "axis", "size", "alpha", "beta", "bias"),
    *("transA", "transB", "ceil_mode", "perm"),
)


def sources() -> list[bytes]:
    """Whole files to damage: a net of many operators, one of shape arithmetic, one of windows."""
    weights = {"w": numbers(4, 3, 3, 3), "b": numbers(4), "fc": numbers(10, 36), "scale": numbers(4, 1, 1)}
    shapes = {"shape": np.array([0, -1]), "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "keep": np.asarray(numbers())}
    many = [
        node("Pad", "x pads", "p"),
        node("Conv", "p w b", "c", kernel_shape=[3, 3], strides=[2, 2]),
        node("Relu", "c", "r"),
        node("LRN", "r", "n", size=3, alpha=1e-3),
        node("Mul", "n scale", "s"),
        node("MaxPool", "s", "m", kernel_shape=[2, 2], ceil_mode=1),
        node("Reshape", "m shape", "f"),
        node("Gemm", "f fc", "g", transB=1),
        node("Mul", "g keep", "d"),
        node("Softmax", "d"),
    ]
    axes = {
        "starts": np.array([0, 1]),
        "ends": np.array([9, 7]),
        "axes": np.array([2, 3]),
        "size": np.array([4, 3, 1, 1]),
    }
    more = [
        node("Slice", "x starts ends axes", "s"),
        node("ConstantOfShape", "size", "w"),
        node("Conv", "s w", "c"),
        node("Split", "c", "one two", axis=1),
        node("Concat", "two one", "j", axis=1),
        node("BatchNormalization", "j b b b b", "n"),
        node("Sigmoid", "n", "g"),
        node("Sub", "g n", "d"),
        node("AveragePool", "d", "a", kernel_shape=[3, 3], pads=[1, 1, 0, 0]),
        node("GlobalAveragePool", "a"),
    ]
    return [_built(), model(many, {**weights, **shapes}), model(more, {**axes, "b": numbers(4)})]


def _built() -> bytes:
    """A file of ours, with patterns of several operators; its seal is taken out."""
    forms = Forms.of(_NET)
    proto = onnx.ModelProto.FromString(forms.onnx(forms.weights(), "fast"))
    kept = [entry for entry in proto.metadata_props if entry.key != SEAL_KEY]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    return cast(bytes, proto.SerializeToString())


def mutant(content: bytes, random: Random) -> bytes:
    """A damaged copy: bytes changed, cut or repeated, or some fields of the graph changed."""
    if random.random() < 0.5:
        return _bytes(bytearray(content), random)
    proto = onnx.ModelProto.FromString(content)
    for _ in range(random.randint(1, 4)):
        random.choice((_rewire, _rename, _attribute, _attribute, _shape, _shape, _drop, _input))(proto.graph, random)
    return cast(bytes, proto.SerializeToString())


def _bytes(data: bytearray, random: Random) -> bytes:
    for _ in range(random.choice((1, 1, 2, 8))):
        at = random.randrange(len(data))
        what = random.random()
        if what < 0.6:
            data[at] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))
        elif what < 0.8:
            del data[at : at + random.choice((1, 4, 100))]
        else:
            data[at:at] = data[at : at + random.choice((1, 4, 100))]
    return bytes(data)


def _node(graph: onnx.GraphProto, random: Random) -> onnx.NodeProto:
    return cast(onnx.NodeProto, random.choice(graph.node) if graph.node else graph.node.add())


def _rewire(graph: onnx.GraphProto, random: Random) -> None:
    names = [*(name for n in graph.node for name in (*n.input, *n.output)), *_TEXTS]
    one = _node(graph, random)
    field = one.input if random.random() < 0.7 else one.output
    if field and random.random() < 0.7:
        field[random.randrange(len(field))] = random.choice(names)
    else:
        field.append(random.choice(names))


def _rename(graph: onnx.GraphProto, random: Random) -> None:
    _node(graph, random).op_type = random.choice((*_OPS, *_TEXTS))


def _attribute(graph: onnx.GraphProto, random: Random) -> None:
    one = _node(graph, random)
    name = random.choice(_KEYS)
    value = random.choice(
        (random.choice(_HUGE), [random.choice(_HUGE) for _ in range(random.randint(1, 5))], 1e38, float("nan"), "SAME")
    )
    kept = [a for a in one.attribute if a.name != name]
    del one.attribute[:]
    one.attribute.extend([*kept, helper.make_attribute(name, value)])


def _drop(graph: onnx.GraphProto, random: Random) -> None:
    field = random.choice((graph.node, graph.initializer, graph.input, graph.output))
    if field:
        del field[random.randrange(len(field))]


def _shape(graph: onnx.GraphProto, random: Random) -> None:
    if not graph.initializer:
        return
    tensor = random.choice(graph.initializer)
    if random.random() < 0.5 and tensor.dims:
        tensor.dims[random.randrange(len(tensor.dims))] = random.choice(_HUGE)
    elif tensor.data_type == onnx.TensorProto.INT64:
        values = [random.choice(_HUGE) for _ in range(len(tensor.raw_data) // 8)]
        tensor.raw_data = np.array(values, np.int64).tobytes()
    else:
        tensor.raw_data = bytes(len(tensor.raw_data))


def _input(graph: onnx.GraphProto, random: Random) -> None:
    dims = graph.input[0].type.tensor_type.shape.dim if graph.input else ()
    if dims:
        dims[random.randrange(len(dims))].dim_value = random.choice(_HUGE)
