"""Layers that move pixels: nailbed, blur, flip, crop, resize. None of them learns.

Source: reference/cuda-convnet.md 1.1, 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor
from typing import Annotated, ClassVar

from netspec.ir.layer import ChannelwiseLayer, Illegal, maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Maps, Shape
from netspec.layers.registry import layer_type
from netspec.layers.window import Pair
from netspec.syntax.keys import Spread, key

_LEFT_OF_EVERYTHING = -(2**31)


@layer_type
@dataclass(frozen=True)
class Nailbed(ChannelwiseLayer):
    """Every n-th pixel, from a centred start: start = (image - stride (outputs - 1)) // 2."""

    type: ClassVar[str] = "nailbed"
    example: ClassVar[str] = "{type: nailbed, inputs: blur1, stride: 4}"

    stride: int = key("Distance of the pixels that are kept.", unit="pixels", least=2, most=1024)

    def grid(self, image: int) -> tuple[int, int]:
        """How many pixels are kept, and the first."""
        count = (image + self.stride - 1) // self.stride
        return count, (image - self.stride * (count - 1)) // 2

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = maps(inputs[0], self)
        return Maps(shape.channels, self.grid(shape.height)[0], self.grid(shape.width)[0])

    def reason(self, inputs: tuple[Shape, ...]) -> str:
        height = maps(inputs[0], self).height
        return f"ceil({height} / {self.stride}) = {self.grid(height)[0]}"

    def torch(self, code: TorchCode) -> str:
        shape = maps(code.shapes[0], self)
        top, left = self.grid(shape.height)[1], self.grid(shape.width)[1]
        return f"{code.inputs[0]}[:, :, {top}::{self.stride}, {left}::{self.stride}]"

    def onnx(self, code: OnnxCode) -> str:
        shape = maps(code.shapes[0], self)
        starts = code.indices("starts", (self.grid(shape.height)[1], self.grid(shape.width)[1]))
        ends, axes = code.indices("ends", (shape.height, shape.width)), code.indices("axes", (2, 3))
        return code.op("Slice", code.inputs[0], starts, ends, axes, code.indices("steps", (self.stride, self.stride)))


@layer_type
@dataclass(frozen=True)
class Blur(ChannelwiseLayer):
    """Gaussian blur of each map with zero padding: taps exp(-d^2 / 2 stdev^2), normalised to sum 1."""

    type: ClassVar[str] = "blur"
    example: ClassVar[str] = "{type: blur, inputs: data, size: 5, stdev: 2}"

    size: int = key("Number of taps; odd.", unit="pixels", least=1, most=63)
    stdev: float = key("Standard deviation.", unit="pixels", least=0.01, most=1000)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if self.size % 2 == 0:
            raise Illegal("NS310", f"a blur of {self.size} taps has no centre", "size", "use an odd size")
        return maps(inputs[0], self)

    def taps(self) -> tuple[float, ...]:
        raw = [exp(-((d - self.size // 2) ** 2) / (2 * self.stdev**2)) for d in range(self.size)]
        return tuple(value / sum(raw) for value in raw)

    def macs(self, inputs: tuple[Shape, ...]) -> int:
        return 2 * self.size * inputs[0].units

    def torch(self, code: TorchCode) -> str:
        return f"{code.helper('blur')}({code.inputs[0]}, {list(self.taps())})"

    def onnx(self, code: OnnxCode) -> str:
        channels, reach = code.shapes[0].channels, self.size // 2
        taps = self.taps() * channels
        row = code.numbers("row", taps, (channels, 1, 1, self.size))
        column = code.numbers("column", taps, (channels, 1, self.size, 1))
        across = code.op(
            "Conv", code.inputs[0], row, kernel_shape=(1, self.size), pads=(0, reach, 0, reach), group=channels
        )
        return code.op("Conv", across, column, kernel_shape=(self.size, 1), pads=(reach, 0, reach, 0), group=channels)


@layer_type
@dataclass(frozen=True)
class Flip(ChannelwiseLayer):
    """Each map mirrored left to right (cuda-convnet's href)."""

    type: ClassVar[str] = "flip"
    example: ClassVar[str] = "{type: flip, inputs: data}"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return maps(inputs[0], self)

    def torch(self, code: TorchCode) -> str:
        return f"{code.inputs[0]}.flip(3)"

    def onnx(self, code: OnnxCode) -> str:
        starts, ends = code.indices("starts", (-1,)), code.indices("ends", (_LEFT_OF_EVERYTHING,))
        return code.op("Slice", code.inputs[0], starts, ends, code.indices("axes", (3,)), code.indices("steps", (-1,)))


@layer_type
@dataclass(frozen=True)
class Crop(ChannelwiseLayer):
    """A fixed rectangle of each map."""

    type: ClassVar[str] = "crop"
    example: ClassVar[str] = "{type: crop, inputs: data, start: 4, size: 24}"

    start: Annotated[tuple[int, ...], Spread(2, ("top", "left"))] = key(
        "First row and column: one number, or [top, left].", default=(0, 0), unit="pixels", least=0
    )
    size: Pair = key("Rows and columns: one number, or [height, width].", unit="pixels", least=1)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = maps(inputs[0], self)
        for line, start, size, image in zip(("row", "column"), self.start, self.size, shape.dims[1:], strict=True):
            if start + size > image:
                message = f"the crop ends at {line} {start + size}, but the {shape} input has {image}"
                raise Illegal("NS313", message, "size", "a smaller `size` or `start`", input=0)
        return Maps(shape.channels, self.size[0], self.size[1])

    def reason(self, inputs: tuple[Shape, ...]) -> str:
        return f"cropped to {self.size[0]}"

    def torch(self, code: TorchCode) -> str:
        (top, left), (height, width) = self.start, self.size
        return f"{code.inputs[0]}[:, :, {top}:{top + height}, {left}:{left + width}]"

    def onnx(self, code: OnnxCode) -> str:
        (top, left), (height, width) = self.start, self.size
        ends = code.indices("ends", (top + height, left + width))
        return code.op("Slice", code.inputs[0], code.indices("starts", (top, left)), ends, code.indices("axes", (2, 3)))


@layer_type
@dataclass(frozen=True)
class Resize(ChannelwiseLayer):
    """Bilinear resize to floor(image / scale): source = p scale + (image - target scale) / 2, in [0, image - 1.01]."""

    type: ClassVar[str] = "resize"
    example: ClassVar[str] = "{type: resize, inputs: data, scale: 1.25}"

    scale: float = key("Size of the input over that of the output.", least=0.5, most=2)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = maps(inputs[0], self)
        if min(shape.height, shape.width) < 2:
            raise Illegal("NS310", f"a {shape} input is too small to resize", help="at least 2x2 pixels", input=0)
        return Maps(shape.channels, floor(shape.height / self.scale), floor(shape.width / self.scale))

    def reason(self, inputs: tuple[Shape, ...]) -> str:
        height = maps(inputs[0], self).height
        return f"floor({height} / {self.scale:g}) = {floor(height / self.scale)}"

    def sources(self, image: int) -> list[float]:
        """Where each output pixel lies in the input."""
        target = floor(image / self.scale)
        offset = (image - target * self.scale) / 2
        return [min(max(p * self.scale + offset, 0.0), image - 1.01) for p in range(target)]

    def torch(self, code: TorchCode) -> str:
        return f"{code.helper('bilinear')}({code.inputs[0]}, {self.scale!r})"

    def onnx(self, code: OnnxCode) -> str:
        shape = maps(code.shapes[0], self)
        rows = self._onnx_axis(code, code.inputs[0], 2, shape.height, "rows")
        return self._onnx_axis(code, rows, 3, shape.width, "columns")

    def _onnx_axis(self, code: OnnxCode, x: str, axis: int, image: int, name: str) -> str:
        sources = self.sources(image)
        first = [floor(s) for s in sources]
        part = [s - f for s, f in zip(sources, first, strict=True)]
        dims = (len(part), 1) if axis == 2 else (len(part),)
        low = code.op("Gather", x, code.indices(f"{name}_low", tuple(first)), axis=axis)
        high = code.op("Gather", x, code.indices(f"{name}_high", tuple(f + 1 for f in first)), axis=axis)
        step = code.op("Mul", code.op("Sub", high, low), code.numbers(f"{name}_part", tuple(part), dims))
        return code.op("Add", low, step)
