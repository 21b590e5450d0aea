"""Operators without weights that are one layer: pooling, LRN, dropout, softmax, neurons."""

from __future__ import annotations

from typing import Final

from netspec.importers.draft import Value
from netspec.importers.onnx_file.graph import Node, shortest
from netspec.importers.onnx_file.neurons import neuron_of
from netspec.importers.onnx_file.norms import lrn_keys
from netspec.importers.onnx_file.pictures import pool_keys
from netspec.importers.onnx_file.reading import Read, Reading, Ref
from netspec.importers.onnx_file.sliding import Unclear, sliding


def read_max_pool(reading: Reading, node: Node) -> Ref:
    """Its second output, the places of the maxima, must not be read."""
    if any(name and name in reading.values.graph.readers for name in node.outputs[1:]):
        raise Unclear("the places of its maxima are read")
    if node.integer("storage_order", 0):
        raise Unclear("`storage_order` is column major")
    return _pool(reading, node, "max", {})


def read_average_pool(reading: Reading, node: Node) -> Ref:
    """With `count_include_pad` it divides by the pixels inside the padded image; where it rounds up, those only."""
    _, height, width = reading.values.maps(node)
    windows = sliding(node, (), (height, width))
    count: dict[str, Value] = {}
    if node.integer("count_include_pad", 0) and (any(windows.pads) or windows.ceil):
        count["count"] = "padded" if windows.ceil else "window"
    return _pool(reading, node, "avg", count)


def _pool(reading: Reading, node: Node, kind: str, more: dict[str, Value]) -> Ref:
    keys: dict[str, Value] = {"pool": kind, **pool_keys(reading.values, node), **more}
    if more.get("count") == "padded":
        _, height, width = reading.values.maps(node)
        keys["pad"] = list(sliding(node, (), (height, width)).pads)
        keys["round"] = "ceil"
    _say_rounding(reading, node, keys)
    return reading.make(node, "pool", keys, [reading.ref(node)])


def _say_rounding(reading: Reading, node: Node, keys: dict[str, Value]) -> None:
    pads = node.integers("pads") or (0, 0, 0, 0)
    if "round" not in keys and not node.integer("ceil_mode", 0) and pads[:2] == pads[2:]:
        return
    rounding = keys.get("round", "ceil")
    written = "`ceil_mode`" if node.integer("ceil_mode", 0) else f"pads {list(pads)}"
    text = f"its size is rounded by `{rounding}`: the same windows as with {written}"
    reading.remarks.meaning("rounding", text, node.place, node.name)


def read_global_pool(reading: Reading, node: Node) -> Ref:
    """GlobalAveragePool, GlobalMaxPool, and a mean or maximum over height and width."""
    kind = "max" if "Max" in node.op else "avg"
    ref = reading.ref(node)
    if len(ref.dims) != 3 or reading.values.dims.get(node.output) is None:
        raise Unclear("it does not take whole maps together")
    pooled = reading.make(node, "pool", {"pool": kind, "size": "global"}, [ref], dims=(ref.dims[0], 1, 1))
    wanted = reading.values.dims[node.output]
    return Ref(pooled.layer, wanted or pooled.dims, broken=pooled.broken)


def read_lrn(reading: Reading, node: Node) -> Ref:
    """Across channels; alpha is over the size."""
    keys = lrn_keys(node)
    size = node.integer("size", 1)
    if size % 2 == 0:
        raise Unclear(f"its size, {size}, is even: ONNX and the language lay such windows on different sides")
    text = f"alpha {node.number_of('alpha', 1e-4):g} is divided by its size, {size}: `alpha_over: size`"
    reading.remarks.meaning("alpha", text, node.place, node.name)
    return reading.make(node, "rnorm", keys, [reading.ref(node)])


def read_dropout(reading: Reading, node: Node) -> Ref:
    """It does nothing at test; while training it divides what it keeps by 1 - ratio."""
    ref = reading.padded(node)
    if any(name and name in reading.values.graph.readers for name in node.outputs[1:]):
        raise Unclear("its mask is read")
    rate: float | None = node.number_of("ratio", 0.5)
    if node.input(1):
        ratio = reading.values.scalar(node.input(1))
        rate = None if ratio is None else shortest(ratio)
    if rate is None or not 0 < rate < 1 or any(ref.pads):
        why = "its rate is computed" if rate is None else f"its rate is {rate:g}"
        reading.remarks.dropped("dropout", f"it does nothing at test, and {why}", node.place, node.name)
        return ref
    text = f"it scales while training: `rate: {rate:g}, scale: train`"
    reading.remarks.meaning("dropout", text, node.place, node.name)
    return reading.make(node, "dropout", {"rate": rate, "scale": "train"}, [ref])


def read_softmax(reading: Reading, node: Node) -> Ref:
    """Up to opset 12 it flattens from its axis on, by default 1; from 13 on it takes one axis, by default the last."""
    ref = reading.ref(node)
    old = reading.values.graph.opset < 13
    axis = node.integer("axis", 1 if old else -1) % (len(ref.dims) + 1)
    others = ref.dims[1:] if axis == 1 else ref.dims[: axis - 1] + ref.dims[axis:]
    if axis == 0 or (old and axis != 1 and any(size != 1 for size in ref.dims[: axis - 1])):
        raise Unclear("it is not over the units of an image")
    if not old and any(size != 1 for size in others):
        raise Unclear("it is over one axis of several")
    if len(ref.dims) > 1:
        text = f"it is over all {reading.shape(ref.layer).units:,} units, and its output is flat"
        reading.remarks.meaning("softmax", text, node.place, node.name)
    return reading.make(node, "softmax", {}, [ref])


def read_neuron(reading: Reading, node: Node) -> Ref:
    """An operator that is a neuron; it may become a key of the layer before."""
    neuron = neuron_of(reading.values, node)
    if neuron is None:
        raise Unclear("it is no neuron of the language")
    return reading.make(node, "neuron", {"neuron": neuron}, [reading.ref(node)])


PLAIN: Final[dict[str, Read]] = {
    "MaxPool": read_max_pool,
    "AveragePool": read_average_pool,
    **dict.fromkeys(("GlobalMaxPool", "GlobalAveragePool", "ReduceMean", "ReduceMax"), read_global_pool),
    "LRN": read_lrn,
    "Dropout": read_dropout,
    "Softmax": read_softmax,
    **dict.fromkeys(("Relu", "Sigmoid", "Tanh", "Softplus", "Abs", "Sqrt", "Neg", "Log"), read_neuron),
    **dict.fromkeys(("LeakyRelu", "Elu", "Clip", "Pow"), read_neuron),
}
