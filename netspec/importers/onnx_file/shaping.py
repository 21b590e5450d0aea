"""Operators that move numbers and change none: Flatten, Reshape, Concat, Slice, Split, Pad and their like."""

from __future__ import annotations

from math import prod
from typing import Final

from netspec.importers.draft import Value
from netspec.importers.onnx_file.axes import pad_sides, parts, ranges
from netspec.importers.onnx_file.constants import Dims
from netspec.importers.onnx_file.graph import Node, shortest
from netspec.importers.onnx_file.reading import Read, Reading, Ref
from netspec.importers.onnx_file.sliding import Unclear

_SINGLE: Final = (1, 11, "FLOAT", "DOUBLE")  # of TensorProto.DataType
_FLOATS: Final = (*_SINGLE, 10, 16, "FLOAT16", "BFLOAT16")


def read_identity(reading: Reading, node: Node) -> Ref:
    """What it reads."""
    if reading.values.graph.ours and "/" not in node.name:
        text = "it does nothing at test: it may have been a dropout that scales while training, or `linear[1, 0]`"
        reading.remarks.dropped("identity", text, node.place, node.name)
    return reading.padded(node)


def read_cast(reading: Reading, node: Node) -> Ref:
    """To numbers with a point: a spec's are float32. Up to opset 5 the type stands there as a word."""
    to = node.integer("to", 0) or node.word("to", "")
    if to not in _FLOATS:
        raise Unclear("it makes other numbers of what it reads than float32")
    if to not in _SINGLE:
        reading.remarks.meaning("precision", "it rounds what it reads there, and not here", node.place, node.name)
    return reading.padded(node)


def read_view(reading: Reading, node: Node) -> Ref:
    """Flatten, Reshape, Squeeze, Unsqueeze: the same numbers in the same order."""
    ref = reading.ref(node)
    dims = reading.values.dims.get(node.output)
    if dims is None or prod(dims) != prod(ref.dims):
        raise Unclear("its shape is not known, or mixes the images of a batch")
    if _is_layer(reading, node) and len(dims) in (1, 3):
        flat = len(dims) == 1 and node.op == "Flatten"
        keys: dict[str, Value] = {} if flat else {"shape": list(dims)}
        return reading.make(node, "flatten" if flat else "reshape", keys, [ref])
    return Ref(ref.layer, dims, broken=ref.broken)


def _is_layer(reading: Reading, node: Node) -> bool:
    """Whether an operator of a file of ours is a layer, and not how fc and softmax lay out what they read."""
    graph = reading.values.graph
    readers = graph.readers.get(node.output, ())
    inner = [r for r in readers if r.op in ("Gemm", "Softmax") and graph.layer_of(r) == graph.layer_of(node)]
    return graph.ours and not inner


def read_transpose(reading: Reading, node: Node) -> Ref:
    """One that moves axes of one element only is none."""
    ref, perm = reading.ref(node), node.integers("perm")
    if perm is None or sorted(perm) != list(range(len(ref.dims) + 1)) or perm[0] != 0:
        raise Unclear("it moves the batch")
    long = [place for place in perm[1:] if ref.dims[place - 1] != 1]
    if long != sorted(long):
        raise Unclear("it changes the order of the numbers")
    return Ref(ref.layer, tuple(ref.dims[place - 1] for place in perm[1:]), broken=ref.broken)


def read_concat(reading: Reading, node: Node) -> Ref:
    """Of channels, or of units."""
    refs = [reading.ref(node, number) for number in range(len(node.inputs))]
    if not refs or node.integer("axis", 1) % (len(refs[0].dims) + 1) != 1:
        raise Unclear("it joins another axis than the channels")
    return reading.make(node, "concat", {}, refs)


def read_slice(reading: Reading, node: Node) -> Ref:
    """A range of channels, a rectangle, every n-th pixel, or a mirror image."""
    ref = reading.ref(node)
    kept = ranges(reading.values, node)
    if any(not len(places) for places in kept):
        raise Unclear("it keeps nothing")
    for axes, rule in (((0,), _channels), ((1, 2), _pixels)):
        touched = [a for a, (places, size) in enumerate(zip(kept, ref.dims, strict=True)) if places != range(size)]
        if touched and set(touched) <= set(axes):
            return rule(reading, node, ref, kept)
        if not touched:
            return _kept_whole(reading, node, ref)
    raise Unclear("it slices channels and pixels at once")


def _kept_whole(reading: Reading, node: Node, ref: Ref) -> Ref:
    """A slice that keeps everything: nothing, or a layer of a file of ours."""
    axes = reading.values.integers(node.input(3))
    if not reading.values.graph.ours or axes not in ((1,), (2, 3), (3,)):
        return ref
    if axes == (1,):
        return reading.make(node, "slice", {"channels": ref.dims[0]}, [ref])
    if axes == (3,):
        return reading.make(node, "flip", {}, [ref])
    steps = reading.values.integers(node.input(4))
    if steps is not None:
        return reading.make(node, "nailbed", {"stride": steps[0]}, [ref])
    return reading.make(node, "crop", {"size": list(ref.dims[1:])}, [ref])


def _channels(reading: Reading, node: Node, ref: Ref, kept: list[range]) -> Ref:
    if kept[0].step != 1:
        raise Unclear("it keeps every n-th channel, or turns them round")
    return reading.make(node, "slice", {"start": kept[0].start, "channels": len(kept[0])}, [ref])


def _pixels(reading: Reading, node: Node, ref: Ref, kept: list[range]) -> Ref:
    rows, columns = kept[1:]
    if rows.step == columns.step == 1:
        keys: dict[str, Value] = {"start": [rows.start, columns.start], "size": [len(rows), len(columns)]}
        return reading.make(node, "crop", keys, [ref])
    if rows == range(ref.dims[1]) and columns == range(ref.dims[2])[::-1]:
        return reading.make(node, "flip", {}, [ref])
    if rows.step == columns.step > 1 and _centred(rows, ref.dims[1]) and _centred(columns, ref.dims[2]):
        return reading.make(node, "nailbed", {"stride": rows.step}, [ref])
    raise Unclear("it keeps pixels that no layer of the language keeps")


def _centred(kept: range, image: int) -> bool:
    """Whether a nailbed keeps them: as many as there can be, in the middle."""
    count = -(-image // kept.step)
    return len(kept) == count and kept.start == (image - kept.step * (count - 1)) // 2


def read_split(reading: Reading, node: Node) -> dict[str, Ref]:
    """A slice layer for each part."""
    ref = reading.ref(node)
    if node.integer("axis", 0) % (len(ref.dims) + 1) != 1:
        raise Unclear("it splits another axis than the channels")
    found, start = {}, 0
    for name, size in zip(node.outputs, parts(reading.values, node), strict=True):
        keys: dict[str, Value] = {"start": start, "channels": size}
        found[name] = reading.make(node, "slice", keys, [ref], value=name, dims=(size, *ref.dims[1:]))
        start += size
    return found


def read_pad(reading: Reading, node: Node) -> Ref:
    """Zeros around maps; whoever reads them takes them into its own padding, or refuses."""
    ref = reading.padded(node)
    if node.word("mode", "constant") != "constant":
        raise Unclear(f"its mode is {node.word('mode')}")
    value = reading.values.scalar(node.input(2)) if node.input(2) else node.number_of("value", 0.0)
    sides = pad_sides(reading.values, node)
    if value != 0 and any(sides):
        raise Unclear(f"it pads with {'no constant' if value is None else format(shortest(value), 'g')}, not with 0")
    if not any(sides):
        return ref
    top, left, bottom, right = (a + b for a, b in zip(ref.pads, sides, strict=True))
    dims: Dims = (ref.dims[0], ref.dims[1] + sides[0] + sides[2], ref.dims[2] + sides[1] + sides[3])
    return Ref(ref.layer, dims, (top, left, bottom, right), ref.broken)


SHAPING: Final[dict[str, Read]] = {
    "Identity": read_identity,
    "Cast": read_cast,
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), read_view),
    "Transpose": read_transpose,
    "Concat": read_concat,
    "Slice": read_slice,
    "Split": read_split,
    "Pad": read_pad,
}
