"""The shapes of a graph's values, of one image, and its constants, in one pass. It judges no operator.

What it does not know (an operator outside of the claim, an axis that is the batch) has no shape, in silence: whoever
needs the shape says so.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Final

from netspec.importers.onnx_file.axes import aligned, parts, ranges, reshaped
from netspec.importers.onnx_file.constants import Dims, Folding
from netspec.importers.onnx_file.graph import Node, OnnxGraph
from netspec.importers.onnx_file.sliding import Unclear, sliding
from netspec.importers.onnx_file.values import Values

_SAME: Final = (
    *("Relu", "LeakyRelu", "Elu", "Sigmoid", "Tanh", "Softplus", "Abs", "Sqrt", "Log", "Neg", "Clip", "PRelu"),
    *("Identity", "Cast", "Dropout", "LRN", "BatchNormalization", "Softmax"),
)
_WIDE: Final = ["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "Pow", "Greater", "Less", "Where"]


def values_of(graph: OnnxGraph, name: str, image: Dims, batch: int | None) -> Values:
    """All values, with the input ``name`` an ``image``. Raises DataError for constants that are too large."""
    values = Values(graph, {name: image}, batch=batch)
    folding = Folding(graph.source.name, dict(graph.constants))
    values.constants = folding.found
    for node in graph.nodes:
        if not folding.take(node, values.dims.get):
            values.dims |= dict.fromkeys(node.outputs, None) | _made_by(values, node)
    values.halves = folding.halves
    return values


def _made_by(values: Values, node: Node) -> dict[str, Dims | None]:
    rule = _RULES.get(node.op)
    if rule is None:
        return {}
    try:
        made = rule(values, node)
    except (Unclear, IndexError, ValueError, ZeroDivisionError, OverflowError):
        return {}
    return made if isinstance(made, dict) else {node.output: made}


Rule = Callable[[Values, Node], "Dims | dict[str, Dims | None] | None"]


def _conv(values: Values, node: Node) -> Dims:
    _, height, width = values.maps(node)
    weight = values.constant(node.input(1))
    if weight is None or weight.ndim != 4:
        raise Unclear("its weights are no constant of four dimensions")
    counts = sliding(node, weight.shape[2:], (height, width)).counts((height, width))
    return (weight.shape[0], *counts)


def _pool(values: Values, node: Node) -> Dims:
    if len(values.known(node)) == 4:
        return _pool_of_volumes(values, node)
    channels, height, width = values.maps(node)
    return (channels, *sliding(node, (), (height, width)).counts((height, width)))


def _pool_of_volumes(values: Values, node: Node) -> Dims:
    """Over three axes: exporters write LRN so."""
    channels, *image = values.known(node)
    size, pads = node.integers("kernel_shape") or (), node.integers("pads") or (0,) * 6
    steps = node.integers("strides") or (1, 1, 1)
    if (len(size), len(pads), len(steps)) != (3, 6, 3) or node.integer("ceil_mode", 0):
        raise Unclear("its windows are not over three axes")
    return (channels, *((i + pads[a] + pads[a + 3] - size[a]) // steps[a] + 1 for a, i in enumerate(image)))


def _deconv(values: Values, node: Node) -> Dims:
    _, height, width = values.maps(node)
    weight = values.constant(node.input(1))
    if weight is None or weight.ndim != 4:
        raise Unclear("its weights are no constant of four dimensions")
    w = sliding(node, weight.shape[2:], (height, width))
    extra = node.integers("output_padding") or (0, 0)
    rows, columns = (
        (image - 1) * w.stride[a] + w.dilation[a] * (w.size[a] - 1) + 1 - w.pads[a] - w.pads[a + 2] + extra[a]
        for a, image in enumerate((height, width))
    )
    return (weight.shape[1] * node.integer("group", 1), rows, columns)


def _gemm(values: Values, node: Node) -> Dims:
    weight = values.constant(node.input(1))
    if weight is None or weight.ndim != 2 or len(values.known(node)) != 1:
        raise Unclear("it is no product of rows with a constant matrix")
    turned = node.op == "Gemm" and node.integer("transB", 0) != 0
    return (weight.shape[0] if turned else weight.shape[1],)


def _flatten(values: Values, node: Node) -> Dims:
    dims = values.known(node)
    axis = node.integer("axis", 1)
    if (axis + len(dims) + 1 if axis < 0 else axis) != 1:
        raise Unclear("it flattens from another axis than the channels")
    return (prod(dims),)


def _reshape(values: Values, node: Node) -> Dims:
    wanted = node.integers("shape") or values.integers(node.input(1))
    if not wanted:
        raise Unclear("its shape is no constant")
    return reshaped(values.dims.get(node.input(0)), wanted, values.batch)


def _squeeze(values: Values, node: Node) -> Dims:
    dims = values.known(node)
    axes = node.integers("axes") or values.integers(node.input(1))
    if not axes:
        raise Unclear("its axes are no constant")
    places = {axis % (len(dims) + 1) for axis in axes}
    if 0 in places or any(dims[place - 1] != 1 for place in places):
        raise Unclear("it takes away the batch")
    return tuple(size for place, size in enumerate(dims, 1) if place not in places)


def _concat(values: Values, node: Node) -> Dims:
    every = [values.known(node, number) for number in range(len(node.inputs))]
    axis = node.integer("axis", 1)
    if axis % (len(every[0]) + 1) != 1 or any(dims[1:] != every[0][1:] for dims in every):
        raise Unclear("it joins other axes than channels")
    return (sum(dims[0] for dims in every), *every[0][1:])


def _wide(values: Values, node: Node) -> Dims:
    import numpy as np

    shapes = []
    rank = max(len(dims) for name in node.inputs if (dims := values.dims.get(name)) is not None) + 1
    for number, name in enumerate(node.inputs):
        array = values.constant(name)
        shapes.append(aligned(node, array, rank).shape if array is not None else (1, *values.known(node, number)))
    joined = np.broadcast_shapes(*shapes)
    if len(joined) != rank or joined[0] != 1:
        raise Unclear("it spreads one image over a batch")
    return joined[1:]


def _slice(values: Values, node: Node) -> Dims:
    return tuple(len(kept) for kept in ranges(values, node))


def _split(values: Values, node: Node) -> dict[str, Dims | None]:
    dims = values.known(node)
    if node.integer("axis", 0) % (len(dims) + 1) != 1:
        raise Unclear("it splits other axes than channels")
    return {name: (size, *dims[1:]) for name, size in zip(node.outputs, parts(values, node), strict=True)}


def _pad(values: Values, node: Node) -> Dims:
    dims, pads = values.known(node), values.integers(node.input(1)) or node.integers("pads") or ()
    if len(pads) != 2 * len(dims) + 2 or node.input(3) or pads[0] or pads[len(dims) + 1]:
        raise Unclear("it pads the batch")
    return tuple(size + pads[a] + pads[a + len(dims) + 1] for a, size in enumerate(dims, 1))


def _reduce(values: Values, node: Node) -> Dims:
    channels, _, _ = values.maps(node)
    axes = node.integers("axes") or values.integers(node.input(1)) or ()
    if sorted(axis % 4 for axis in axes) != [2, 3]:
        raise Unclear("it reduces other axes than height and width")
    return (channels, 1, 1) if node.integer("keepdims", 1) else (channels,)


def _gather(values: Values, node: Node) -> Dims:
    dims, indices = values.known(node), values.constant(node.input(1))
    axis = node.integer("axis", 0) % (len(dims) + 1)
    if indices is None or indices.ndim != 1 or axis == 0:
        raise Unclear("its indices are no constant list of an axis")
    return (*dims[: axis - 1], indices.size, *dims[axis:])


def _transpose(values: Values, node: Node) -> Dims:
    dims, perm = values.known(node), node.integers("perm")
    if perm is None or len(perm) != len(dims) + 1 or perm[0] != 0:
        raise Unclear("it moves the batch")
    return tuple(dims[place - 1] for place in perm[1:])


_RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(_SAME, lambda values, node: values.known(node)),
    **dict.fromkeys(_WIDE, _wide),
    **dict.fromkeys(("MaxPool", "AveragePool"), _pool),
    **dict.fromkeys(("GlobalMaxPool", "GlobalAveragePool"), lambda values, node: (values.maps(node)[0], 1, 1)),
    **dict.fromkeys(("ReduceMean", "ReduceMax"), _reduce),
    **dict.fromkeys(("Gemm", "MatMul"), _gemm),
    "Conv": _conv,
    "ConvTranspose": _deconv,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Pad": _pad,
    "Gather": _gather,
    "Transpose": _transpose,
}
