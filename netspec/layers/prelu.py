"""Rectifiers whose slope below 0 is learned. It is a layer, since it has weights; other neurons are keys.

Source: He et al. 2015, Delving deep into rectifiers, 2.1; Caffe's PReLU (`channel_shared`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netspec.ir.layer import ChannelwiseLayer, Illegal, Shard
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Parameter, Role, constant
from netspec.ir.shape import Range, Shape
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class PRelu(ChannelwiseLayer):
    """max(0, x) + a min(0, x), with a learned slope a for each channel that does not decay."""

    type: ClassVar[str] = "prelu"
    example: ClassVar[str] = "{type: prelu, inputs: conv1}"

    shared: bool = key("Whether all channels have one slope.", default=False)
    init_a: float = key("What the slopes start with.", default=0.25)
    lr_w: float = key("Learning rate of the slopes, as a multiple of train.lr.", default=1.0, least=0)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Slopes (channels), or one."""
        return (Parameter("weight", (1 if self.shared else inputs[0].channels,), "weight", constant(self.init_a)),)

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        if self.shared and part.size < inputs[0].channels:
            message = "one slope for all channels cannot be split over devices"
            raise Illegal("NS402", message, "gpu", "put it on one device, or let each channel have its own")
        return super().shard(inputs, part)

    def rate_of(self, role: Role) -> float:
        return self.lr_w

    def torch(self, code: TorchCode) -> str:
        return f"{code.module('nn.PReLU', 1 if self.shared else code.output.channels)}({code.inputs[0]})"

    def onnx(self, code: OnnxCode) -> str:
        slopes = code.parameter("weight") if self.shared else code.each_channel("weight")
        return code.op("PRelu", code.inputs[0], slopes)
