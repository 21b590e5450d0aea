"""A factor and an addend for every channel, both learned: what follows a batch norm in Caffe. It mixes no channels.

Source: Caffe's Scale and Bias layers along the channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netspec.ir.layer import ChannelwiseLayer, Illegal
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Parameter, Role, constant
from netspec.ir.shape import Shape
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class Affine(ChannelwiseLayer):
    """Each channel times a learned weight, plus a learned bias: they start at 1 and 0, and do not decay."""

    type: ClassVar[str] = "affine"
    example: ClassVar[str] = "{type: affine, inputs: batch1}"

    scale: bool = key("Whether channels are multiplied by weights.", default=True)
    bias: bool = key("Whether biases are added.", default=True)
    lr_w: float = key("Learning rate of the weights, as a multiple of train.lr.", default=1.0, least=0)
    lr_b: float = key("Learning rate of the biases, as a multiple of train.lr_b or train.lr.", default=1.0, least=0)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if not (self.scale or self.bias):
            raise Illegal("NS310", "an `affine` layer without `scale` and `bias` does nothing", "scale", "remove it")
        return inputs[0]

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        dims = (inputs[0].channels,)
        weight = (Parameter("weight", dims, "weight", constant(1.0)),) if self.scale else ()
        return (*weight, *((Parameter("bias", dims, "bias", constant(0.0)),) if self.bias else ()))

    def rate_of(self, role: Role) -> float:
        return self.lr_b if role == "bias" else self.lr_w

    def torch(self, code: TorchCode) -> str:
        options = {name: False for name in ("scale", "bias") if not getattr(self, name)}
        return f"{code.module(code.helper('ChannelAffine'), code.output.channels, **options)}({code.inputs[0]})"

    def onnx(self, code: OnnxCode) -> str:
        y = code.inputs[0]
        for written, op, path in ((self.scale, "Mul", "weight"), (self.bias, "Add", "bias")):
            y = code.op(op, y, code.each_channel(path)) if written else y
        return y
