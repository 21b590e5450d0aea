"""Fully connected: every output reads every unit of every input, or of its group. Maps are flattened c, y, x.

Source: paper 3.5; reference/cuda-convnet.md 1.2 (fc, sfc), 3 (several inputs share one bias).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from netspec.diagnostics.grammar import count
from netspec.ir.layer import Illegal, LearnedLayer, Shard
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Init, Parameter
from netspec.ir.shape import Range, Shape, Vector
from netspec.layers.groups import channels_of, check_groups, groups_of
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
    groups: int = key(
        "Groups: outputs of group i read only the i-th part of the channels (cuda-convnet2's sfc).", default=1, least=1
    )
    per_input: tuple[FcInput, ...] = key("With several inputs: a mapping for each, of what differs.", default=())

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if self.per_input and len(self.per_input) != len(inputs):
            message = f"`per_input` has {count(len(self.per_input), 'entry')} for {count(len(inputs), 'input')}"
            raise Illegal("NS309", message, "per_input", "one for each input; `{}` where nothing differs")
        for number, shape in enumerate(inputs):
            check_groups(self.groups, shape.channels, f"channels of `{self.inputs[number]}`", number=number)
        check_groups(self.groups, self.outputs, "outputs")
        return Vector(self.outputs)

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Weights (outputs, units of the input / groups), bias (outputs)."""
        one = len(inputs) == 1
        weights = [self._weight(n, "" if one else f"{n}.", shape) for n, shape in enumerate(inputs)]
        return (weights[0], *self.bias_parameter((self.outputs,), "bias" if one else "0.bias"), *weights[1:])

    def _weight(self, number: int, path: str, shape: Shape) -> Parameter:
        own = self.per_input[number] if self.per_input else FcInput()
        dims = (self.outputs, shape.units // self.groups)
        return self.weight_parameter(f"{path}weight", dims, own.init_w, own.share_weights, kernels=False)

    def macs(self, inputs: tuple[Shape, ...]) -> int:
        return self.outputs * sum(shape.units // self.groups for shape in inputs)

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """A part reads the channels of its groups."""
        own = groups_of(part, self.outputs, self.groups)
        reads = tuple(channels_of(own, shape.channels // self.groups) for shape in inputs)
        return Shard(replace(self, outputs=part.size, groups=own.size), reads)

    def torch(self, code: TorchCode) -> str:
        flat = [
            x if isinstance(shape, Vector) else f"torch.flatten({x}, 1)"
            for x, shape in zip(code.inputs, code.shapes, strict=True)
        ]
        cls, groups = ("nn.Linear", ()) if self.groups == 1 else (code.helper("GroupedLinear"), (self.groups,))
        biases: list[dict[str, object]] = [{} if self.bias and n == 0 else {"bias": False} for n in range(len(flat))]
        if len(flat) == 1:
            return f"{code.module(cls, code.shapes[0].units, self.outputs, *groups, **biases[0])}({flat[0]})"
        shapes_biases = zip(code.shapes, biases, strict=True)
        names = code.module_list([(cls, (shape.units, self.outputs, *groups), b) for shape, b in shapes_biases])
        return " + ".join(f"{name}({x})" for name, x in zip(names, flat, strict=True))

    def onnx(self, code: OnnxCode) -> str:
        paths = [""] if len(code.inputs) == 1 else [f"{number}." for number in range(len(code.inputs))]
        if self.groups > 1:
            return self._onnx_groups(code, paths)
        total = ""
        for number, (x, shape, path) in enumerate(zip(code.inputs, code.shapes, paths, strict=True)):
            bias = (code.parameter(f"{path}bias"),) if self.bias and number == 0 else ()
            addend = bias if not total else (total,)
            total = code.op("Gemm", code.flat(x, shape), code.parameter(f"{path}weight"), *addend, transB=1)
        return total

    def _onnx_groups(self, code: OnnxCode, paths: list[str]) -> str:
        """Every group at once as [groups, N, ...]; onnxruntime lays the weights out when it loads them."""
        products = []
        for x, shape, path in zip(code.inputs, code.shapes, paths, strict=True):
            units = shape.units // self.groups
            split = code.op("Reshape", x, code.indices(f"{path}parts", (0, self.groups, units)))
            dims = (self.groups, self.outputs // self.groups, units)
            weight = code.op("Reshape", code.parameter(f"{path}weight"), code.indices(f"{path}weights", dims))
            parts, turned = code.op("Transpose", split, perm=(1, 0, 2)), code.op("Transpose", weight, perm=(0, 2, 1))
            products.append(code.op("MatMul", parts, turned))
        total = products[0] if len(products) == 1 else code.op("Sum", *products)
        y = code.op("Reshape", code.op("Transpose", total, perm=(1, 0, 2)), code.indices("units", (0, self.outputs)))
        return code.op("Add", y, code.parameter(f"{paths[0]}bias")) if self.bias else y
