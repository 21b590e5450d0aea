"""Fully connected: every output reads every unit of every input. Maps are flattened channel, row, column.

Source: paper 3.5; reference/cuda-convnet.md 1.2 (fc), 3 (several inputs share one bias).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from netspec.diagnostics.grammar import count
from netspec.ir.layer import Illegal, LearnedLayer, Shard
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Init, Parameter
from netspec.ir.shape import Range, Shape, Vector
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key


@dataclass(frozen=True)
class FcInput:
    """What is different for one of several inputs."""

    init_w: Init | None = key("How these weights start.", default=None)
    share_weights: str | None = key("The layer whose weights are used.", default=None)


@layer_type
@dataclass(frozen=True)
class Fc(LearnedLayer):
    """Fully-connected layer."""

    type: ClassVar[str] = "fc"
    example: ClassVar[str] = "{type: fc, inputs: pool5, outputs: 4096, neuron: relu, init_b: 1}"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    outputs: int = key("Output units.", least=1, most=1 << 20)
    per_input: tuple[FcInput, ...] = key("With several inputs: a mapping for each, of what differs.", default=())

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if self.per_input and len(self.per_input) != len(inputs):
            message = f"`per_input` has {count(len(self.per_input), 'entry')} for {count(len(inputs), 'input')}"
            raise Illegal("NS309", message, "per_input", "one for each input; `{}` where nothing differs")
        return Vector(self.outputs)

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Weights (outputs, units of the input), bias (outputs)."""
        one = len(inputs) == 1
        weights = [self._weight(n, "" if one else f"{n}.", shape) for n, shape in enumerate(inputs)]
        return (weights[0], *self.bias_parameter((self.outputs,), "bias" if one else "0.bias"), *weights[1:])

    def _weight(self, number: int, path: str, shape: Shape) -> Parameter:
        own = self.per_input[number] if self.per_input else FcInput()
        tied = own.share_weights or self.share_weights or ""
        dims = (self.outputs, shape.units)
        return Parameter(f"{path}weight", dims, "weight", own.init_w or self.init_w, shape.units, tied)

    def macs(self, inputs: tuple[Shape, ...]) -> int:
        return self.outputs * sum(shape.units for shape in inputs)

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        return Shard(replace(self, outputs=part.size), tuple(Range(0, shape.channels) for shape in inputs))

    def torch(self, code: TorchCode) -> str:
        flat = [
            x if isinstance(shape, Vector) else f"torch.flatten({x}, 1)"
            for x, shape in zip(code.inputs, code.shapes, strict=True)
        ]
        biases: list[dict[str, object]] = [{} if self.bias and n == 0 else {"bias": False} for n in range(len(flat))]
        if len(flat) == 1:
            return f"{code.module('nn.Linear', code.shapes[0].units, self.outputs, **biases[0])}({flat[0]})"
        shapes_biases = zip(code.shapes, biases, strict=True)
        names = code.module_list([("nn.Linear", (shape.units, self.outputs), b) for shape, b in shapes_biases])
        return " + ".join(f"{name}({x})" for name, x in zip(names, flat, strict=True))

    def onnx(self, code: OnnxCode) -> str:
        one = len(code.inputs) == 1
        total = ""
        for number, (x, shape) in enumerate(zip(code.inputs, code.shapes, strict=True)):
            path = "" if one else f"{number}."
            bias = (code.parameter(f"{path}bias"),) if self.bias and number == 0 else ()
            addend = bias if not total else (total,)
            total = code.op("Gemm", code.flat(x, shape), code.parameter(f"{path}weight"), *addend, transB=1)
        return total
