"""A neuron as a layer of its own, and softmax.

Source: reference/cuda-convnet.md 1.2 (neuron, softmax), 1.5; paper 3.1, 3.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netspec.ir.layer import ChannelwiseLayer, Illegal, Layer, Shard
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Range, Shape, Vector
from netspec.layers.registry import layer_type


@layer_type
@dataclass(frozen=True)
class NeuronLayer(ChannelwiseLayer):
    """An element-wise function as a layer of its own: its `neuron` key says which."""

    type: ClassVar[str] = "neuron"
    example: ClassVar[str] = "{type: neuron, inputs: pool1, neuron: relu}"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if self.neuron is None:
            raise Illegal("NS202", "a `neuron` layer needs the key `neuron`", "type", "for instance `neuron: relu`")
        return inputs[0]

    def torch(self, code: TorchCode) -> str:
        return code.inputs[0]

    def onnx(self, code: OnnxCode) -> str:
        return code.inputs[0]


@layer_type
@dataclass(frozen=True)
class Softmax(Layer):
    """Softmax over all units; its output is flat."""

    type: ClassVar[str] = "softmax"
    example: ClassVar[str] = "{type: softmax, inputs: fc8}"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return Vector(inputs[0].units)

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """It normalises over all units, so every device computes all and keeps its part."""
        return Shard(self, (Range(0, inputs[0].channels),), part)

    def torch(self, code: TorchCode) -> str:
        flat = code.inputs[0] if isinstance(code.shapes[0], Vector) else f"torch.flatten({code.inputs[0]}, 1)"
        return f"torch.softmax({flat}, dim=1)"

    def onnx(self, code: OnnxCode) -> str:
        return code.op("Softmax", code.flat(code.inputs[0], code.shapes[0]), axis=1)
