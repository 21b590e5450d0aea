"""Layers that read the same numbers in another shape: flatten and reshape. They move and change none.

Source: Caffe's Flatten and Reshape. Units are counted channel by channel, row by row (reference/cuda-convnet.md 0).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd, prod
from typing import Annotated, ClassVar

from netspec.diagnostics.grammar import count
from netspec.ir.layer import Illegal, Layer, Shard
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Maps, Range, Shape, Vector
from netspec.layers.registry import layer_type
from netspec.syntax.keys import Spread, key

_REST, _SAME = -1, 0


def _pixels(shape: Shape) -> int:
    return shape.units // shape.channels


@layer_type
@dataclass(frozen=True)
class Flatten(Layer):
    """All units in one row: channel by channel, row by row."""

    type: ClassVar[str] = "flatten"
    example: ClassVar[str] = "{type: flatten, inputs: pool5}"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return Vector(inputs[0].units)

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """A part reads the channels that its units are in, and keeps its units."""
        read, made = around(part, _pixels(inputs[0]), 1)
        return Shard(self, (read,), None if made == part else part.shift(-made.start))

    def torch(self, code: TorchCode) -> str:
        return code.inputs[0] if isinstance(code.shapes[0], Vector) else f"torch.flatten({code.inputs[0]}, 1)"

    def onnx(self, code: OnnxCode) -> str:
        return code.flat(code.inputs[0], code.shapes[0])


@layer_type
@dataclass(frozen=True)
class Reshape(Layer):
    """The same units, in the same order, as other maps."""

    type: ClassVar[str] = "reshape"
    example: ClassVar[str] = "{type: reshape, inputs: fc1, shape: [64, 7, 7]}"

    shape: Annotated[tuple[int, ...], Spread(None, ("channels", "height", "width"))] = key(
        "What the units are read as: maps, or with one number that many units. 0 stands for the input's own number in"
        " that place, -1, once, for what is left.",
        least=-1,
    )

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        dims = self._dims(inputs[0])
        if prod(dims) != inputs[0].units:
            written = "x".join(f"{dim:,}" for dim in dims)
            message = f"{written} are {count(prod(dims), 'unit')}, but `{self.inputs[0]}` has {inputs[0].units:,}"
            raise Illegal("NS307", message, "shape", "as many units, or -1 in one place", input=0)
        return Maps(*dims) if len(dims) == 3 else Vector(*dims)

    def _dims(self, shape: Shape) -> tuple[int, ...]:
        """The shape with what 0 and -1 stand for. Raises Illegal."""
        if len(self.shape) not in (1, 3):
            message = f"a shape has 1 or 3 numbers, found {len(self.shape)}"
            raise Illegal("NS209", message, "shape", "[channels, height, width], or a number of units")
        if self.shape.count(_REST) > 1:
            raise Illegal("NS310", "-1 stands in more than one place", "shape", "one of them must be a number")
        if any(dim == _SAME and place >= len(shape.dims) for place, dim in enumerate(self.shape)):
            message = f"0 stands for a height or width of `{self.inputs[0]}`, which is flat"
            raise Illegal("NS310", message, "shape", "numbers for height and width", input=0)
        known = [shape.dims[place] if dim == _SAME else dim for place, dim in enumerate(self.shape)]
        rest = shape.units // prod(dim for dim in known if dim != _REST)
        return tuple(max(1, rest) if dim == _REST else dim for dim in known)

    def reason(self, inputs: tuple[Shape, ...]) -> str:
        return f"the {inputs[0].units:,} units of `{self.inputs[0]}`"

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """A part reads the fewest channels that are whole ones here too, and keeps its own."""
        dims = self._dims(inputs[0])
        read, made = around(part, _pixels(inputs[0]), prod(dims[1:]))
        own = replace(self, shape=(made.size, *dims[1:]))
        return Shard(own, (read,), None if made == part else part.shift(-made.start))

    def torch(self, code: TorchCode) -> str:
        return f"{code.inputs[0]}.reshape({', '.join(map(str, (-1, *code.output.dims)))})"

    def onnx(self, code: OnnxCode) -> str:
        return code.op("Reshape", code.inputs[0], code.indices("dims", (0, *code.output.dims)))


def around(part: Range, before: int, after: int) -> tuple[Range, Range]:
    """The fewest channels of ``before`` units each that hold output channels ``part`` of ``after`` units each.

    The output channels that these are, whole, stand second.
    """
    units = before * after // gcd(before, after)
    start, stop = part.start * after // units * units, -(-part.stop * after // units) * units
    return Range(start // before, stop // before), Range(start // after, stop // after)
