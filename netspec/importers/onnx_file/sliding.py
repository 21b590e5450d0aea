"""ONNX's windows: kernel, stride, dilation, and padding however it is said. It is arithmetic, and makes no layer.

Source: the operator documents of Conv, MaxPool and AveragePool; `auto_pad` lays an odd pixel after (SAME_UPPER) or
before (SAME_LOWER).
"""

from __future__ import annotations

from dataclasses import dataclass

from netspec.importers.onnx_file.graph import Node

Pairs = tuple[int, int]
Four = tuple[int, int, int, int]


class Unclear(Exception):  # noqa: N818 - a verdict on an operator, which becomes a remark
    """An operator is used in a way that has no counterpart in the language; the text says which."""


@dataclass(frozen=True)
class Sliding:
    """Windows over maps; pads are (top, left, bottom, right). ``ceil``: the last window may hang over the padding."""

    size: Pairs
    stride: Pairs
    pads: Four
    dilation: Pairs
    ceil: bool = False

    def count(self, axis: int, image: int) -> int:
        """How many windows fit along an axis; 0 where none does.

        A last window that would start in the padding after the image is dropped where it is rounded up.
        """
        before, after, stride = self.pads[axis], self.pads[axis + 2], self.stride[axis]
        room = image + before + after - (self.dilation[axis] * (self.size[axis] - 1) + 1)
        if room < 0:
            return 0
        count = room // stride + 1
        if self.ceil and room % stride and count * stride < image + before:
            count += 1
        return count

    def counts(self, image: Pairs) -> Pairs:
        return self.count(0, image[0]), self.count(1, image[1])


def sliding(node: Node, kernel: tuple[int, ...], image: Pairs) -> Sliding:
    """The windows of a convolution or a pooling over ``image``. Raises Unclear where they are not over two axes."""
    size = node.integers("kernel_shape") or kernel
    stride = node.integers("strides") or (1,) * len(size)
    dilation = node.integers("dilations") or (1,) * len(size)
    pads = node.integers("pads") or (0,) * 2 * len(size)
    if (len(size), len(stride), len(dilation), len(pads)) != (2, 2, 2, 4):
        raise Unclear("its windows are not over two axes")
    if min(size + stride + dilation) < 1 or min(pads) < 0:
        raise Unclear("a size, stride or dilation below 1, or padding below 0")
    pair, steps, apart = (size[0], size[1]), (stride[0], stride[1]), (dilation[0], dilation[1])
    auto = node.word("auto_pad", "NOTSET")
    four = (pads[0], pads[1], pads[2], pads[3])
    if auto == "VALID":
        four = (0, 0, 0, 0)
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        if "Pool" in node.op and any(steps[a] > apart[a] * (pair[a] - 1) + 1 for a in (0, 1)):
            raise Unclear("its windows leave pixels out, where runtimes read `auto_pad` differently")
        four = _same(pair, steps, apart, image, upper=auto == "SAME_UPPER")
    elif auto not in ("NOTSET", ""):
        raise Unclear(f"`auto_pad` is {auto}")
    return Sliding(pair, steps, four, apart, bool(node.integer("ceil_mode", 0)))


def _same(size: Pairs, stride: Pairs, dilation: Pairs, image: Pairs, *, upper: bool) -> Four:
    """Padding with which there is a window for each ``stride`` pixels."""
    sides = []
    for axis in (0, 1):
        reach = dilation[axis] * (size[axis] - 1) + 1
        total = max(0, (-(-image[axis] // stride[axis]) - 1) * stride[axis] + reach - image[axis])
        less, more = total // 2, total - total // 2
        sides.append((less, more) if upper else (more, less))
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]
