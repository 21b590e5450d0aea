"""Dropout: units are set to zero at random while training.

Source: paper 4.2 (at test all outputs are multiplied by the keep probability); reference/cuda-convnet.md 1.4 (hs,
dropout).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from netspec.ir.layer import ChannelwiseLayer, Illegal
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Shape
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class Dropout(ChannelwiseLayer):
    """Dropout."""

    type: ClassVar[str] = "dropout"
    example: ClassVar[str] = "{type: dropout, inputs: fc6, rate: 0.5}"

    rate: float = key("The probability that a unit is dropped.", default=0.5, least=0, most=1)
    scale: Literal["test", "train"] = key(
        "When outputs are scaled: at `test` they are multiplied by 1 - rate (the paper), or while `train`ing divided by"
        " it (inverted dropout, torch's).",
        default="test",
    )

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if self.rate == 1:
            raise Illegal("NS310", "dropout at rate 1 drops every unit", "rate", "a rate below 1; the paper's is 0.5")
        return inputs[0]

    def effective(self, inputs: tuple[Shape, ...]) -> tuple[tuple[str, str], ...]:
        """Where the keep probability is applied."""
        keep = f"{1 - self.rate:g}"
        if self.scale == "test":
            return (("in training", "kept units as they are"), ("at test", f"times {keep}"))
        return (("in training", f"kept units over {keep}"), ("at test", "nothing"))

    def torch(self, code: TorchCode) -> str:
        inverted = ", inverted=True" if self.scale == "train" else ""
        return f"{code.helper('dropout')}({code.inputs[0]}, {self.rate!r}, self.training, {code.draw()}{inverted})"

    def onnx(self, code: OnnxCode) -> str:
        if self.scale == "train":
            return code.op("Identity", code.inputs[0])
        return code.op("Mul", code.inputs[0], code.scalar(1 - self.rate))
