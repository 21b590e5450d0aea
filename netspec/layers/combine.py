"""Layers that put several inputs together: concat, eltsum, eltprod, eltmax.

Source: reference/cuda-convnet.md 1.2; eltprod is Caffe's Eltwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import ClassVar

from netspec.diagnostics.grammar import count
from netspec.ir.layer import ChannelwiseLayer, Illegal, Layer, Shard
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Range, Shape
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class Concat(Layer):
    """The channels of all inputs, one after the other."""

    type: ClassVar[str] = "concat"
    example: ClassVar[str] = "{type: concat, inputs: [conv1a, conv1b]}"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        for n, (name, shape) in enumerate(zip(self.inputs, inputs, strict=True)):
            if shape.dims[1:] != inputs[0].dims[1:]:
                message = f"`{name}` is {shape}, which cannot stand beside `{self.inputs[0]}`, {inputs[0]}"
                raise Illegal("NS307", message, help="inputs may differ in channels only", input=n)
        return inputs[0].with_channels(sum(shape.channels for shape in inputs))

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        reads, start = [], 0
        for shape in inputs:
            own = part.overlap(Range(start, start + shape.channels))
            reads.append(own.shift(-start) if own else None)
            start += shape.channels
        used = tuple(name for name, read in zip(self.inputs, reads, strict=True) if read)
        return Shard(replace(self, inputs=used), tuple(reads))

    def torch(self, code: TorchCode) -> str:
        inputs = ", ".join(code.inputs) if len(code.inputs) > 1 else f"{code.inputs[0]},"
        return f"torch.cat(({inputs}), dim=1)"

    def onnx(self, code: OnnxCode) -> str:
        return code.op("Concat", *code.inputs, axis=1)


@dataclass(frozen=True)
class ElementwiseLayer(ChannelwiseLayer):
    """A layer over inputs of one shape."""

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        for n, (name, shape) in enumerate(zip(self.inputs, inputs, strict=True)):
            if shape != inputs[0]:
                message = f"`{name}` is {shape}, but `{self.inputs[0]}` is {inputs[0]}"
                raise Illegal("NS307", message, help="all inputs must have one shape", input=n)
        return inputs[0]


@layer_type
@dataclass(frozen=True)
class EltSum(ElementwiseLayer):
    """The sum of its inputs, each times a coefficient."""

    type: ClassVar[str] = "eltsum"
    example: ClassVar[str] = "{type: eltsum, inputs: [conv1, conv2], coefficients: [1, -1]}"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    coefficients: tuple[float, ...] = key("One factor for each input; all 1 by default.", default=())

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if self.coefficients and len(self.coefficients) != len(inputs):
            message = f"{count(len(self.coefficients), 'coefficient')} for {count(len(inputs), 'input')}"
            raise Illegal("NS309", message, "coefficients", "one for each input")
        return super().infer(inputs)

    def factors(self) -> tuple[float, ...]:
        return self.coefficients or (1.0,) * len(self.inputs)

    def torch(self, code: TorchCode) -> str:
        pairs = zip(code.inputs, self.factors(), strict=True)
        return " + ".join(x if factor == 1 else f"{factor!r} * {x}" for x, factor in pairs)

    def onnx(self, code: OnnxCode) -> str:
        pairs = zip(code.inputs, self.factors(), strict=True)
        terms = [x if factor == 1 else code.op("Mul", x, code.scalar(factor)) for x, factor in pairs]
        return code.op("Sum", *terms)


@layer_type
@dataclass(frozen=True)
class EltProd(ElementwiseLayer):
    """The product of its inputs, element by element."""

    type: ClassVar[str] = "eltprod"
    example: ClassVar[str] = "{type: eltprod, inputs: [conv1, conv2]}"
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def torch(self, code: TorchCode) -> str:
        return " * ".join(code.inputs)

    def onnx(self, code: OnnxCode) -> str:
        return reduce(lambda a, b: code.op("Mul", a, b), code.inputs)


@layer_type
@dataclass(frozen=True)
class EltMax(ElementwiseLayer):
    """The largest of its inputs, element by element."""

    type: ClassVar[str] = "eltmax"
    example: ClassVar[str] = "{type: eltmax, inputs: [conv1, conv2]}"
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def torch(self, code: TorchCode) -> str:
        return reduce(lambda a, b: f"torch.maximum({a}, {b})", code.inputs)

    def onnx(self, code: OnnxCode) -> str:
        return code.op("Max", *code.inputs)
