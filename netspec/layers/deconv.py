"""Transposed convolution: every input pixel adds a kernel to the output. It upsamples, and inverts nothing.

Weights lie as a convolution's do, output channels first, so that a device's part is a range of rows; torch and ONNX
want input channels first.

Source: Caffe's Deconvolution; Long et al. 2015, Fully convolutional networks for semantic segmentation, 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from netspec.ir.layer import Illegal, LearnedLayer, Shard, maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Parameter
from netspec.ir.shape import Maps, Range, Shape
from netspec.layers.groups import channels_of, check_groups, groups_of
from netspec.layers.registry import layer_type
from netspec.layers.window import Pair, Sides, compact, effective_size, torch_pad
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class Deconv(LearnedLayer):
    """Transposed convolution (Caffe's Deconvolution)."""

    type: ClassVar[str] = "deconv"
    example: ClassVar[str] = "{type: deconv, inputs: score, filters: 21, size: 4, stride: 2, pad: 1, bias: false}"

    filters: int = key("Output channels, of all groups together.", least=1, most=1 << 20)
    size: Pair = key("Kernel size: one number, or [height, width].", unit="pixels", least=1, most=1024)
    stride: Pair = key(
        "How far apart the kernels of neighbouring pixels start.", default=(1, 1), unit="pixels", least=1, most=1024
    )
    pad: Sides = key(
        "Rows and columns cut off the output: one number, or [top, left, bottom, right].",
        default=(0, 0, 0, 0),
        unit="pixels",
        least=0,
        most=1024,
    )
    dilation: Pair = key("Distance of neighbouring kernel elements.", default=(1, 1), unit="pixels", least=1, most=1024)
    groups: int = key("Groups: filters of group i read only the i-th part of the channels.", default=1, least=1)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        """Height and width are stride (input - 1) + dilation (size - 1) + 1, less the pads."""
        shape = maps(inputs[0], self)
        check_groups(self.groups, shape.channels, f"channels of `{self.inputs[0]}`", number=0)
        check_groups(self.groups, self.filters, "filters")
        rows, columns = (self._extent(axis, image) for axis, image in enumerate(shape.dims[1:]))
        if min(rows, columns) < 1:
            message = f"`pad` cuts everything off: an output of {rows}x{columns} would be left"
            raise Illegal("NS313", message, "pad", "a smaller `pad`, or a larger `size` or `stride`", input=0)
        return Maps(self.filters, rows, columns)

    def _extent(self, axis: int, image: int) -> int:
        return self.stride[axis] * (image - 1) + self._reach(axis) - self.pad[axis] - self.pad[axis + 2]

    def _reach(self, axis: int) -> int:
        return effective_size(self.size[axis], self.dilation[axis])

    def reason(self, inputs: tuple[Shape, ...]) -> str:
        height, (top, _, bottom, _) = maps(inputs[0], self).height, self.pad
        return f"{self.stride[0]} ({height} - 1) + {self._reach(0)} - {top} - {bottom} = {self._extent(0, height)}"

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Weight (filters, channels / groups, height, width), bias (filters)."""
        dims = (self.filters, inputs[0].channels // self.groups, *self.size)
        return (self.weight_parameter("weight", dims), *self.bias_parameter((self.filters,)))

    def macs(self, inputs: tuple[Shape, ...]) -> int:
        """Every input number goes through the kernels of its group's filters; what pads cut off included."""
        return inputs[0].units * self.filters // self.groups * self.size[0] * self.size[1]

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        own = groups_of(part, self.filters, self.groups)
        read = channels_of(own, inputs[0].channels // self.groups)
        return Shard(replace(self, filters=part.size, groups=own.size), (read,))

    def torch(self, code: TorchCode) -> str:
        symmetric = self.pad[:2] == self.pad[2:]
        options: dict[str, object] = {
            "stride": compact(self.stride),
            "padding": compact(self.pad[:2]) if symmetric else 0,
            "dilation": compact(self.dilation),
            "groups": self.groups,
            "bias": self.bias,
        }
        plain = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
        options = {name: value for name, value in options.items() if value != plain[name]}
        cls, channels = code.helper("Deconv2d"), code.shapes[0].channels
        y = f"{code.module(cls, channels, self.filters, self.size, **options)}({code.inputs[0]})"
        return y if symmetric else f"F.pad({y}, {tuple(-n for n in torch_pad(self.pad))})"

    def onnx(self, code: OnnxCode) -> str:
        bias = (code.parameter("bias"),) if self.bias else ()
        return code.op(
            "ConvTranspose",
            code.inputs[0],
            self._onnx_weight(code),
            *bias,
            kernel_shape=self.size,
            strides=self.stride,
            pads=self.pad,
            dilations=self.dilation,
            group=self.groups,
        )

    def _onnx_weight(self, code: OnnxCode) -> str:
        """(channels, filters / groups, height, width) of the layer's own; onnxruntime does it once, when it loads."""
        weight = code.parameter("weight")
        if self.groups == 1:
            return code.op("Transpose", weight, perm=(1, 0, 2, 3))
        each, filters = code.shapes[0].channels // self.groups, self.filters // self.groups
        dims = (self.groups, filters, each, *self.size)
        turned = code.op("Transpose", code.op("Reshape", weight, code.indices("by_group", dims)), perm=(0, 2, 1, 3, 4))
        return code.op("Reshape", turned, code.indices("weights", (self.groups * each, filters, *self.size)))
