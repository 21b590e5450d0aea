"""Local response normalisation: y = x / (k + a * sum of x^2 over a window) ^ beta.

Source: paper 3.3 (alpha times the plain sum); reference/cuda-convnet.md 1.3 (alpha divided by the window's size). The
window starts size // 2 before the element, or is the block that it is in; terms outside the maps are 0. It never
crosses a group of channels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from netspec.ir.layer import Illegal, Layer, Shard, maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Maps, Range, Shape
from netspec.layers.groups import channels_of, check_groups, groups_of
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key

_SMALLEST = 2.0**-126  # a float32 of full precision
_MOST_OVER_K = 4  # the paper's alpha is 2.5e-4 of k


MOST_BAND_NUMBERS = 1 << 22


@dataclass(frozen=True)
class Normalisation(Layer):
    """The constants that rnorm and cnorm share."""

    size: int = key("How many neighbours (channels, or pixels each way) are summed.", least=1, most=1024)
    k: float = key("The constant added to the sum (the paper: 2; cuda-convnet's minDiv: 1).", default=1.0, above=0)
    alpha: float = key("The factor of the sum.", default=1e-4, least=0)
    alpha_over: Literal["sum", "size"] = key(
        "Whether alpha multiplies the plain sum (paper, TensorFlow) or the sum divided by the number of neighbours"
        " (cuda-convnet, Caffe, torch, ONNX).",
        default="size",
    )
    beta: float = key("The exponent.", default=0.75, above=0)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return maps(inputs[0], self)

    def effective(self, inputs: tuple[Shape, ...]) -> tuple[tuple[str, str], ...]:
        """Alpha as either convention writes it, and k: Caffe, torch and ONNX take k = 1 where nothing is said."""
        factor = self.per_square(self.neighbours())
        return (
            ("alpha of the plain sum", f"{factor:g}"),
            ("alpha of the sum over size", f"{factor * self.neighbours():g}"),
            ("k", f"{self.k:g}"),
        )

    def neighbours(self) -> int:
        """How many squares one sum holds, away from the edge."""
        return self.size**2

    def per_square(self, neighbours: int) -> float:
        """The factor of each x^2."""
        return self.alpha if self.alpha_over == "sum" else self.alpha / neighbours

    def onnx_quotient(self, code: OnnxCode, x: str, s: str) -> str:
        """X / s^beta. s^0.75 is sqrt(s sqrt(s)): twice as fast as Pow in onnxruntime."""
        if self.beta == 0.75:
            return code.op("Div", x, code.op("Sqrt", code.op("Mul", s, code.op("Sqrt", s))))
        if self.beta == 0.5:
            return code.op("Div", x, code.op("Sqrt", s))
        return code.op("Div", x, s if self.beta == 1 else code.op("Pow", s, code.scalar(self.beta)))

    def onnx_window_sum(self, code: OnnxCode, squares: str) -> str:
        """K + per_square * sum over the size x size window; out-of-image terms are 0 and still counted."""
        before, after = self.size // 2, self.size - 1 - self.size // 2
        mean = code.op(
            "AveragePool",
            squares,
            kernel_shape=(self.size, self.size),
            strides=(1, 1),
            pads=(before, before, after, after),
            count_include_pad=1,
        )
        factor = self.per_square(self.size**2) * self.size**2
        return code.op("Add", code.op("Mul", mean, code.scalar(factor)), code.scalar(self.k))


@layer_type
@dataclass(frozen=True)
class ResponseNorm(Normalisation):
    """Local response normalisation, across channels (LRN) or across space within a map."""

    type: ClassVar[str] = "rnorm"
    example: ClassVar[str] = "{type: rnorm, inputs: conv1, size: 5, k: 2, alpha: 1e-4, alpha_over: sum, groups: 2}"

    across: Literal["channels", "space"] = key(
        "Neighbours are channels at the same pixel (the paper), or pixels of the same map.", default="channels"
    )
    groups: int = key("Groups of channels that do not see each other (the paper's towers).", default=1, least=1)
    blocked: bool = key(
        "Whether the neighbours of a channel are the block of `size` consecutive channels that it is in, counted from"
        " the first of its group, instead of those around it; the last block may be smaller (cuda-convnet).",
        default=False,
    )

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = maps(inputs[0], self)
        if self.blocked and self.across == "space":
            message = "blocks are of channels, and this layer normalises across space"
            raise Illegal("NS310", message, "blocked", "`across: channels`, or remove `blocked`")
        check_groups(self.groups, shape.channels, f"channels of `{self.inputs[0]}`", number=0)
        if shape.channels**2 // self.groups > MOST_BAND_NUMBERS:
            message = f"a response norm over {shape.channels:,} channels is too large for ONNX"
            raise Illegal("NS312", message, "inputs", "more `groups`, or fewer channels")
        return shape

    def neighbours(self) -> int:
        return self.size if self.across == "channels" else super().neighbours()

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """Across channels a part reads a margin of neighbours, up to the edge of its group, and drops it again."""
        if self.across == "space":
            return Shard(replace(self, groups=1), (part,))
        each = inputs[0].channels // self.groups
        own = groups_of(part, inputs[0].channels, self.groups)
        if part == channels_of(own, each):
            return Shard(replace(self, groups=own.size), (part,))
        read = self._around(part, channels_of(own, each))
        return Shard(replace(self, groups=1), (read,), part.shift(-read.start))

    def _around(self, part: Range, group: Range) -> Range:
        """The channels of a part and their neighbours in the group."""
        if self.blocked:
            start, stop = (
                part.start - (part.start - group.start) % self.size,
                part.stop + (group.start - part.stop) % self.size,
            )
        else:
            start, stop = part.start - self.size // 2, part.stop + self.size - 1 - self.size // 2
        return Range(max(group.start, start), min(group.stop, stop))

    def torch(self, code: TorchCode) -> str:
        x = code.inputs[0]
        if self.across == "space":
            numbers = f"alpha={self.per_square(self.size**2)!r}, beta={self.beta!r}, k={self.k!r}"
            return f"{code.helper('same_map_norm')}({x}, size={self.size}, {numbers})"
        groups = f", groups={self.groups}" if self.groups > 1 else ""
        numbers = f"alpha={self.per_square(self.size)!r}, beta={self.beta!r}, k={self.k!r}"
        norm = code.helper("blocked_norm" if self.blocked else "response_norm")
        return f"{norm}({x}, size={self.size}, {numbers}{groups})"

    def onnx(self, code: OnnxCode) -> str:
        x = code.inputs[0]
        if self.across == "space":
            return self.onnx_quotient(code, x, self.onnx_window_sum(code, code.op("Mul", x, x)))
        shape = maps(code.shapes[0], self)
        return (
            self._native(code, x, shape)
            if code.lrn == "native" and self._has_native()
            else self._banded(code, x, shape)
        )

    def _has_native(self) -> bool:
        """Whether onnxruntime's LRN takes the numbers, and computes with them as well as the other form.

        It refuses even sizes, and an alpha or beta that is 0 in float32. It sums along the channels by adding the next
        square and subtracting the last: what is left of large squares is not small beside a k that is.
        """
        if self.blocked:
            return False
        alpha = self.per_square(self.size) * self.size
        return self.size % 2 == 1 and min(alpha, self.beta) >= _SMALLEST and alpha <= _MOST_OVER_K * self.k

    def _banded(self, code: OnnxCode, x: str, shape: Maps) -> str:
        """The sum over neighbouring channels as a 1x1 convolution whose kernel is a band of `per_square`."""
        each = shape.channels // self.groups
        value = self.per_square(self.size)
        row = [[value if c in near else 0.0 for c in range(each)] for near in map(self._near, range(each))]
        band = code.numbers("band", tuple(v for r in row for v in r) * self.groups, (shape.channels, each, 1, 1))
        k = code.numbers("k", (self.k,) * shape.channels, (shape.channels,))
        s = code.op("Conv", code.op("Mul", x, x), band, k, kernel_shape=(1, 1), group=self.groups)
        return self.onnx_quotient(code, x, s)

    def _near(self, channel: int) -> range:
        """The neighbours of a channel of its group, some of which may not be there."""
        start = channel - (channel % self.size if self.blocked else self.size // 2)
        return range(start, start + self.size)

    def _native(self, code: OnnxCode, x: str, shape: Maps) -> str:
        alpha = self.per_square(self.size) * self.size
        options: dict[str, int | float] = {"size": self.size, "alpha": alpha, "beta": self.beta, "bias": self.k}
        if self.groups == 1:
            return code.op("LRN", x, **options)
        each = shape.channels // self.groups
        axes = code.indices("channel_axis", (1,))
        parts = []
        for group in range(self.groups):
            start, end = (
                code.indices(f"start{group}", (group * each,)),
                code.indices(f"end{group}", ((group + 1) * each,)),
            )
            parts.append(code.op("LRN", code.op("Slice", x, start, end, axes), **options))
        return code.op("Concat", *parts, axis=1)
