"""Colour conversions of three channels: rgb2yuv and rgb2lab. They learn nothing and are no preprocessing of `data:`.

Source: reference/cuda-convnet.md 1.2 (rgb2yuv, rgb2lab).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netspec.diagnostics.grammar import count
from netspec.ir.layer import Illegal, Layer, Shard, maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Range, Shape
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key

_COLOURS = 3
Matrix = tuple[tuple[float, ...], ...]

_YUV: Matrix = ((0.2126, 0.7152, 0.0722), (-0.09991, -0.33609, 0.436), (0.615, -0.55861, -0.05639))
_XYZ: Matrix = ((0.49, 0.31, 0.2), (0.17697, 0.8124, 0.01063), (0.0, 0.01, 0.99))
# L, a and b of the f of X, Y and Z
_LAB: Matrix = ((0.0, 116.0, 0.0), (500.0, -500.0, 0.0), (0.0, 200.0, -200.0))
_BEND, _POWER, _SLOPE, _OFFSET = 0.0088564517, 0.3333, 7.787037, 0.13793103
_BLACK, _HALF_WHITE = -16.0, 50.0


@dataclass(frozen=True)
class ColourLayer(Layer):
    """A layer of three channels, each of which reads all three."""

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = maps(inputs[0], self)
        if shape.channels != _COLOURS:
            message = f"`{self.inputs[0]}` has {count(shape.channels, 'channel')}, and colours have {_COLOURS}"
            raise Illegal("NS310", message, help="put it where red, green and blue are", input=0)
        return shape

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """Every device computes all three channels and keeps its part."""
        return Shard(self, (Range(0, _COLOURS),), part)


@layer_type
@dataclass(frozen=True)
class RgbToYuv(ColourLayer):
    """Red, green and blue to brightness Y and the colours U and V: a sum of the three each."""

    type: ClassVar[str] = "rgb2yuv"
    example: ClassVar[str] = "{type: rgb2yuv, inputs: data}"

    def torch(self, code: TorchCode) -> str:
        return f"{code.helper('rgb_to_yuv')}({code.inputs[0]})"

    def onnx(self, code: OnnxCode) -> str:
        return _mixed(code, code.inputs[0], "yuv", _YUV, (0.0, 0.0, 0.0))


@layer_type
@dataclass(frozen=True)
class RgbToLab(ColourLayer):
    """Red, green and blue from 0 to 1 to CIE L*a*b*: lightness L from 0 to 100, and the colours a and b."""

    type: ClassVar[str] = "rgb2lab"
    example: ClassVar[str] = "{type: rgb2lab, inputs: data, center: true}"

    center: bool = key("Whether 50 is taken from the lightness, so that it is from -50 to 50.", default=False)

    def torch(self, code: TorchCode) -> str:
        center = ", center=True" if self.center else ""
        return f"{code.helper('rgb_to_lab')}({code.inputs[0]}{center})"

    def onnx(self, code: OnnxCode) -> str:
        xyz = _mixed(code, code.inputs[0], "xyz", _XYZ, (0.0, 0.0, 0.0))
        bend = code.scalar(_BEND)
        root = code.op("Pow", code.op("Max", xyz, bend), code.scalar(_POWER))
        line = code.op("Add", code.op("Mul", xyz, code.scalar(_SLOPE)), code.scalar(_OFFSET))
        f = code.op("Where", code.op("Greater", xyz, bend), root, line)
        return _mixed(code, f, "lab", _LAB, (_BLACK - _HALF_WHITE if self.center else _BLACK, 0.0, 0.0))


def _mixed(code: OnnxCode, x: str, name: str, matrix: Matrix, offsets: tuple[float, ...]) -> str:
    """Each output channel a sum of all channels of ``x``: a 1x1 convolution."""
    weight = code.numbers(name, tuple(number for row in matrix for number in row), (_COLOURS, _COLOURS, 1, 1))
    return code.op("Conv", x, weight, code.numbers(f"{name}_offset", offsets, (_COLOURS,)), kernel_shape=(1, 1))
