"""Contrast normalisation within a map: like rnorm across space, of what differs from the local mean.

Source: reference/cuda-convnet.md 1.3 (cnorm): d = x - mean over x's own clipped window; y = x / (k + a sum d^2)^beta.
The numerator is x itself, and gradients treat the means as constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netspec.ir.layer import Shard
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Range, Shape
from netspec.layers.registry import layer_type
from netspec.layers.rnorm import Normalisation


@layer_type
@dataclass(frozen=True)
class ContrastNorm(Normalisation):
    """Local contrast normalisation within each map."""

    type: ClassVar[str] = "cnorm"
    example: ClassVar[str] = "{type: cnorm, inputs: pool1, size: 5, alpha: 1e-3}"

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        return Shard(self, (part,))

    def torch(self, code: TorchCode) -> str:
        numbers = f"alpha={self.per_square(self.size**2)!r}, beta={self.beta!r}, k={self.k!r}"
        return f"{code.helper('contrast_norm')}({code.inputs[0]}, size={self.size}, {numbers})"

    def onnx(self, code: OnnxCode) -> str:
        x = code.inputs[0]
        before, after = self.size // 2, self.size - 1 - self.size // 2
        window, pads = (self.size, self.size), (before, before, after, after)
        mean = code.op("AveragePool", x, kernel_shape=window, strides=(1, 1), pads=pads)
        difference = code.op("Sub", x, mean)
        squares = code.op("Mul", difference, difference)
        return self.onnx_quotient(code, x, self.onnx_window_sum(code, squares))
