"""Convolution: shared weights, zero padding, cross-correlation (no flip). Several inputs are summed, with one bias.

Source: paper 3.5; reference/cuda-convnet.md 1.1, 1.2 (conv). `filters` counts all output channels, not one group's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netspec.ir.layer import maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Parameter
from netspec.ir.shape import Shape
from netspec.layers.registry import layer_type
from netspec.layers.window import compact, torch_pad
from netspec.layers.windowed import WindowedLayer
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class Conv(WindowedLayer):
    """Convolution with shared weights."""

    type: ClassVar[str] = "conv"
    example: ClassVar[str] = "{type: conv, inputs: data, filters: 96, size: 11, stride: 4, round: ceil, neuron: relu}"

    shared_biases: bool = key("One bias a filter (true), or one a filter and position (false).", default=True)

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        weights = [self.weight(n, path, inputs[n]) for n, path in enumerate(self.paths(len(inputs)))]
        dims = (self.filters,) if self.shared_biases else self.infer(inputs).dims
        return (weights[0], *self.bias_parameter(dims, self.paths(len(inputs))[0] + "bias"), *weights[1:])

    def torch(self, code: TorchCode) -> str:
        calls = []
        constructors = []
        for number, shape in enumerate(code.shapes):
            cls, options, padded = self._constructor(number, self.torch_read(number, code), shape, code)
            arguments = (self.reads(number, shape), self.filters, compact(self.window(number).size))
            constructors.append((cls, arguments, options))
            calls.append(padded)
        if len(calls) == 1:
            cls, arguments, options = constructors[0]
            return f"{code.module(cls, *arguments, **options)}({calls[0]})"
        names = code.module_list(constructors)
        return " + ".join(f"{name}({x})" for name, x in zip(names, calls, strict=True))

    def _constructor(self, number: int, x: str, shape: Shape, code: TorchCode) -> tuple[str, dict[str, object], str]:
        """The nn class, its options, and the padded input expression."""
        window = self.window(number)
        pads = window.pads(*window.slides(maps(shape, self), self))
        symmetric = pads[:2] == pads[2:] or (window.pad[:2] == window.pad[2:] and window.round == "floor")
        own_bias = self.bias and number == 0
        options: dict[str, object] = {
            "stride": compact(window.stride),
            "padding": compact(window.pad[:2]) if symmetric else 0,
            "dilation": compact(window.dilation),
            "groups": self.groups_of(number),
            "bias": own_bias,
        }
        plain = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
        options = {k: v for k, v in options.items() if v != plain[k]}
        padded = x if symmetric else f"F.pad({x}, {torch_pad(pads)})"
        if own_bias and not self.shared_biases:
            options["positions"] = code.output.dims[1:]
            return code.helper("UntiedConv2d"), options, padded
        return "nn.Conv2d", options, padded

    def onnx(self, code: OnnxCode) -> str:
        paths = self.paths(len(code.inputs))
        parts = [self._onnx_branch(code, n, path) for n, path in enumerate(paths)]
        total = parts[0] if len(parts) == 1 else code.op("Sum", *parts)
        return (
            total if self.shared_biases or not self.bias else code.op("Add", total, code.parameter(f"{paths[0]}bias"))
        )

    def _onnx_branch(self, code: OnnxCode, number: int, path: str) -> str:
        window = self.window(number)
        pads = window.pads(*window.slides(maps(code.shapes[number], self), self))
        bias = (code.parameter(f"{path}bias"),) if number == 0 and self.bias and self.shared_biases else ()
        return code.op(
            "Conv",
            self.onnx_read(number, code, path),
            code.parameter(f"{path}weight"),
            *bias,
            kernel_shape=window.size,
            strides=window.stride,
            pads=pads,
            dilations=window.dilation,
            group=self.groups_of(number),
        )
