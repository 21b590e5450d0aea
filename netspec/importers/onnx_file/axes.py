"""What operators do to the axes of an image's values: slices, parts, zeros around, other shapes. It makes no layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from netspec.importers.onnx_file.constants import Dims
from netspec.importers.onnx_file.graph import Node
from netspec.importers.onnx_file.sliding import Unclear
from netspec.importers.onnx_file.values import Values

if TYPE_CHECKING:
    from netspec.importers.onnx_file.file import Constant


def reshaped(dims: Dims | None, wanted: tuple[int, ...], batch: int | None) -> Dims:
    """The shape of an image after Reshape to ``wanted``. Raises Unclear where the batch does not stay apart."""
    first, rest = wanted[0], wanted[1:]
    if not rest or first not in (0, -1, 1, batch):
        raise Unclear("it mixes the images of a batch")
    if dims is None:
        if min(rest) < 1 or first == -1:
            raise Unclear("what it reads has no known shape")
        return rest
    copied = tuple(dims[place] if size == 0 else size for place, size in enumerate(rest))
    if -1 in copied and first != -1:
        one = abs(prod(copied))
        if not one or prod(dims) % one or copied.count(-1) > 1:
            raise Unclear("its shape does not divide what it reads")
        copied = tuple(prod(dims) // one if size == -1 else size for size in copied)
    if prod(copied) != prod(dims):
        raise Unclear("it mixes the images of a batch")
    return copied


def aligned(node: Node, array: Constant, rank: int) -> Constant:
    """A constant as today's broadcasting reads it: up to opset 6, `axis` says where its first dimension belongs."""
    axis = node.attributes.get("axis")
    if not node.integer("broadcast", 0) or not isinstance(axis, int) or array.ndim == 0:
        return array
    return array.reshape((*array.shape, *(1,) * max(0, rank - axis % rank - array.ndim)))


def ranges(values: Values, node: Node) -> list[range]:
    """What Slice keeps of each axis. Raises Unclear for what is no constant, or slices the batch."""
    dims = values.known(node)
    starts = node.integers("starts") or values.integers(node.input(1))
    ends = node.integers("ends") or values.integers(node.input(2))
    if starts is None or ends is None or len(starts) != len(ends):
        raise Unclear("its starts and ends are no constants")
    axes = node.integers("axes") or values.integers(node.input(3)) or tuple(range(len(starts)))
    steps = values.integers(node.input(4)) or (1,) * len(starts)
    kept = [range(size) for size in dims]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        place = axis % (len(dims) + 1)
        if place == 0:
            raise Unclear("it slices the batch")
        kept[place - 1] = range(*slice(start, end, step).indices(dims[place - 1]))
    return kept


def parts(values: Values, node: Node) -> tuple[int, ...]:
    """The channels of each output of a Split."""
    sizes = node.integers("split") or values.integers(node.input(1))
    channels, count = values.known(node)[0], len(node.outputs)
    each = -(-channels // count)
    sizes = sizes or (*(each,) * (count - 1), channels - each * (count - 1))
    if len(sizes) != count or sum(sizes) != channels or min(sizes) < 1:
        raise Unclear("its parts are not the channels")
    return sizes


def pad_sides(values: Values, node: Node) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of a Pad. Raises Unclear for one that pads channels or takes pixels away."""
    pads = node.integers("pads") or node.integers("paddings") or values.integers(node.input(1))
    if pads is None or len(pads) != 8 or node.input(3):
        raise Unclear("its pads are no constant for four axes")
    if any(pads[place] for place in (0, 1, 4, 5)) or min(pads) < 0:
        raise Unclear("it pads other axes than height and width, or below 0")
    return pads[2], pads[3], pads[6], pads[7]
