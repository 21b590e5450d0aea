"""Batch normalisation: each channel to zero mean and unit variance over the batch; running statistics at test.

Source: Ioffe and Szegedy 2015. Not in the 2012 net.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netspec.ir.layer import ChannelwiseLayer
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Parameter, constant
from netspec.ir.shape import Maps, Shape
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class BatchNorm(ChannelwiseLayer):
    """Batch normalisation, with a learned scale and shift or without."""

    type: ClassVar[str] = "batchnorm"
    example: ClassVar[str] = "{type: batchnorm, inputs: conv1, neuron: relu}"

    eps: float = key("Added to the variance.", default=1e-5, above=0)
    momentum: float = key("Weight of the new batch in the running statistics.", default=0.1, least=0, most=1)
    affine: bool = key(
        "Whether a learned scale and shift of each channel follow; without them it has statistics only (Caffe).",
        default=True,
    )

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Scale and shift, learned; running mean and variance, kept."""
        dims = (inputs[0].channels,)
        learned = (Parameter("weight", dims, "weight", constant(1.0)), Parameter("bias", dims, "bias", constant(0.0)))
        return (
            *(learned if self.affine else ()),
            Parameter("running_mean", dims, "statistic", constant(0.0)),
            Parameter("running_var", dims, "statistic", constant(1.0)),
        )

    def torch(self, code: TorchCode) -> str:
        cls = "nn.BatchNorm2d" if isinstance(code.output, Maps) else "nn.BatchNorm1d"
        plain: dict[str, object] = {"eps": 1e-5, "momentum": 0.1, "affine": True}
        options = {name: getattr(self, name) for name, value in plain.items() if getattr(self, name) != value}
        return f"{code.module(cls, code.output.channels, **options)}({code.inputs[0]})"

    def onnx(self, code: OnnxCode) -> str:
        channels = code.output.channels
        if self.affine:
            scale, shift = code.parameter("weight"), code.parameter("bias")
        else:
            scale = code.numbers("ones", (1.0,) * channels, (channels,))
            shift = code.numbers("zeros", (0.0,) * channels, (channels,))
        statistics = [code.parameter(path) for path in ("running_mean", "running_var")]
        return code.op("BatchNormalization", code.inputs[0], scale, shift, *statistics, epsilon=self.eps)
