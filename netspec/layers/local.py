"""Locally connected: a convolution whose weights differ at every position.

Source: reference/cuda-convnet.md 1.2 (local); the CIFAR-10 13 % net.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netspec.ir.layer import Illegal, maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Parameter
from netspec.ir.shape import Maps, Shape
from netspec.layers.registry import layer_type
from netspec.layers.window import torch_pad
from netspec.layers.windowed import WindowedLayer

MOST_PATCH_NUMBERS = 1 << 22


@layer_type
@dataclass(frozen=True)
class Local(WindowedLayer):
    """Convolution with its own weights and bias at every position."""

    type: ClassVar[str] = "local"
    example: ClassVar[str] = "{type: local, inputs: pool2, filters: 32, size: 3, pad: 1, neuron: relu}"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if any(self.window(n).dilation != (1, 1) for n in range(len(inputs))):
            raise Illegal("NS310", "a `local` layer has no dilation", "dilation", "use `conv`, or remove it")
        output = super().infer(inputs)
        for number, shape in enumerate(inputs):
            height, width = self.window(number).size
            if self.reads(number, shape) * (height * width) ** 2 > MOST_PATCH_NUMBERS:
                message = (
                    f"windows of {height}x{width} over {self.reads(number, shape)} channels are too large for ONNX"
                )
                raise Illegal("NS312", message, "size", "a smaller size: ONNX lays the patches out with size^4 numbers")
        return output

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Weights (filters, channels of a group, height, width, rows, columns); biases (filters, rows, columns)."""
        output = self.infer(inputs).dims
        paths = self.paths(len(inputs))
        weights = [self.weight(n, path, inputs[n], output[1:]) for n, path in enumerate(paths)]
        return (weights[0], *self.bias_parameter(output, f"{paths[0]}bias"), *weights[1:])

    def torch(self, code: TorchCode) -> str:
        cls = code.helper("LocalConv2d")
        constructors = []
        for number, shape in enumerate(code.shapes):
            window = self.window(number)
            pads = window.pads(*window.slides(maps(shape, self), self))
            options: dict[str, object] = {
                "positions": code.output.dims[1:],
                "stride": window.stride,
                "pad": torch_pad(pads),
                "groups": self.groups_of(number),
                "bias": self.bias and number == 0,
            }
            constructors.append((cls, (self.reads(number, shape), self.filters, window.size), options))
        if len(constructors) == 1:
            arguments, options = constructors[0][1:]
            return f"{code.module(cls, *arguments, **options)}({self.torch_read(0, code)})"
        names = code.module_list(constructors)
        return " + ".join(f"{name}({self.torch_read(n, code)})" for n, name in enumerate(names))

    def onnx(self, code: OnnxCode) -> str:
        paths = self.paths(len(code.inputs))
        parts = [self._onnx_branch(code, n, path, maps(code.shapes[n], self)) for n, path in enumerate(paths)]
        total = parts[0] if len(parts) == 1 else code.op("Sum", *parts)
        return code.op("Add", total, code.parameter(f"{paths[0]}bias")) if self.bias else total

    def _onnx_branch(self, code: OnnxCode, number: int, path: str, shape: Maps) -> str:
        """ONNX has no such operator: a convolution with one-hot kernels lays out the patches, Einsum weighs them."""
        window, groups, channels = self.window(number), self.groups_of(number), self.reads(number, shape)
        height, width = window.size
        taps = height * width
        one_hot = tuple(float(tap == place) for _ in range(channels) for tap in range(taps) for place in range(taps))
        kernels = code.numbers(f"{path}patches", one_hot, (channels * taps, 1, height, width))
        pads = window.pads(*window.slides(shape, self))
        patches = code.op(
            "Conv",
            self.onnx_read(number, code, path),
            kernels,
            kernel_shape=window.size,
            strides=window.stride,
            pads=pads,
            group=channels,
        )
        positions = code.output.dims[1:]
        patch = channels // groups * taps
        by_group = code.op("Reshape", patches, code.indices(f"{path}by_group", (0, groups, patch, *positions)))
        dims = (groups, self.filters // groups, patch, *positions)
        weights = code.op("Reshape", code.parameter(f"{path}weight"), code.indices(f"{path}weights", dims))
        summed = code.op("Einsum", by_group, weights, equation="ngpyx,gfpyx->ngfyx")
        return code.op("Reshape", summed, code.indices("maps", (0, *code.output.dims)))
