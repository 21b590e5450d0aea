"""Convolution: shared weights, zero padding, cross-correlation (no flip). Several inputs are summed, with one bias.

Source: paper 3.5; reference/cuda-convnet.md 1.1, 1.2 (conv). `filters` counts all output channels, not one group's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from netspec.diagnostics.grammar import count
from netspec.ir.layer import Illegal, LearnedLayer, Shard, maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Init, Parameter
from netspec.ir.shape import Maps, Range, Shape
from netspec.layers.registry import layer_type
from netspec.layers.window import Pair, Rounding, Sides, Window, compact, sides, torch_pad
from netspec.syntax.keys import key


@dataclass(frozen=True)
class ConvInput:
    """What is different for one of several inputs; keys that are left out are the layer's."""

    size: Pair | None = key("Kernel height and width.", default=None, least=1, most=1024)
    stride: Pair | None = key("Step of the window.", default=None, least=1, most=1024)
    pad: Sides | None = key("Zero padding.", default=None, least=0, most=1024)
    dilation: Pair | None = key("Distance of kernel elements.", default=None, least=1, most=1024)
    groups: int | None = key("Groups of channels.", default=None, least=1)
    init_w: Init | None = key("How these weights start.", default=None)
    share_weights: str | None = key("The layer whose weights are used.", default=None)


@dataclass(frozen=True)
class WindowedLayer(LearnedLayer):
    """What conv and local share: kernels that slide over maps, in groups of channels, over one or several inputs."""

    arity: ClassVar[tuple[int, int | None]] = (1, None)

    filters: int = key("Output channels, of all groups together.", least=1, most=1 << 20)
    size: Pair = key("Kernel size: one number, or [height, width].", unit="pixels", least=1, most=1024)
    stride: Pair = key("Step of the window.", default=(1, 1), unit="pixels", least=1, most=1024)
    pad: Sides = key(
        "Zero padding: one number, or [top, left, bottom, right].",
        default=(0, 0, 0, 0),
        unit="pixels",
        least=0,
        most=1024,
    )
    dilation: Pair = key("Distance of neighbouring kernel elements.", default=(1, 1), unit="pixels", least=1, most=1024)
    groups: int = key("Groups: filters of group i read only the i-th part of the channels.", default=1, least=1)
    round: Rounding = key(
        "How the output size is rounded: `ceil` lets the last window hang over the edge and read zeros (cuda-convnet).",
        default="floor",
    )
    per_input: tuple[ConvInput, ...] = key("With several inputs: a mapping for each, of what differs.", default=())

    def branch(self, number: int) -> ConvInput:
        return self.per_input[number] if self.per_input else ConvInput()

    def window(self, number: int) -> Window:
        own = self.branch(number)
        return Window(
            own.size or self.size,
            own.stride or self.stride,
            own.pad or self.pad,
            own.dilation or self.dilation,
            self.round,
        )

    def groups_of(self, number: int) -> int:
        return self.branch(number).groups or self.groups

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if self.per_input and len(self.per_input) != len(inputs):
            message = f"`per_input` has {count(len(self.per_input), 'entry')} for {count(len(inputs), 'input')}"
            raise Illegal("NS309", message, "per_input", "one for each input; `{}` where nothing differs")
        sizes = [self._output_of(n, maps(shape, self, n)) for n, shape in enumerate(inputs)]
        for n, size in enumerate(sizes):
            if size != sizes[0]:
                first, other = (f"{rows}x{columns}" for rows, columns in (sizes[0], size))
                message = f"the windows over `{self.inputs[n]}` give {other}, those over `{self.inputs[0]}` {first}"
                help = "give them strides or pads in `per_input` that agree"
                raise Illegal("NS307", message, help=help, input=n)
        return Maps(self.filters, *sizes[0])

    def _output_of(self, number: int, shape: Maps) -> tuple[int, int]:
        groups = self.groups_of(number)
        for what, channels in ((f"channels of `{self.inputs[number]}`", shape.channels), ("filters", self.filters)):
            if channels % groups:
                help = f"`groups` must divide {channels}"
                message = f"{groups} groups do not divide the {channels} {what}"
                blamed = None if what == "filters" else number
                raise Illegal("NS306", message, self._key(number, "groups"), help, blamed)
        try:
            rows, columns = self.window(number).slides(shape, self)
        except Illegal as error:
            raise Illegal(error.code, error.message, self._key(number, "size"), error.help, number) from None
        return rows.count, columns.count

    def _key(self, number: int, key: str) -> tuple[str | int, ...]:
        """Where a key of one input stands: in `per_input`, or on the layer."""
        return (key,) if getattr(self.branch(number), key) is None else ("per_input", number, key)

    def paths(self, count: int) -> list[str]:
        return [""] if count == 1 else [f"{i}." for i in range(count)]

    def reason(self, inputs: tuple[Shape, ...]) -> str:
        return self.window(0).reason(maps(inputs[0], self))

    def effective(self, inputs: tuple[Shape, ...]) -> tuple[tuple[str, str], ...]:
        """The rounding, and the zeros read around each input: those that `round: ceil` adds included."""
        padded = []
        for number, shape in enumerate(inputs):
            window = self.window(number)
            pads = window.pads(*window.slides(maps(shape, self), self))
            what = "pads" if len(inputs) == 1 else f"pads of {self.inputs[number]}"
            padded.append((what, sides(pads)))
        return (("rounding", self.round), *padded)

    def fan_in(self, number: int, shape: Shape) -> int:
        size = self.window(number).size
        return shape.channels // self.groups_of(number) * size[0] * size[1]

    def weight(self, number: int, path: str, shape: Shape, more: tuple[int, ...] = ()) -> Parameter:
        """Weight (filters, channels / groups, height, width, *more) of one input."""
        own = self.branch(number)
        dims = (self.filters, shape.channels // self.groups_of(number), *self.window(number).size, *more)
        tied = own.share_weights or self.share_weights or ""
        return Parameter(f"{path}weight", dims, "weight", own.init_w or self.init_w, self.fan_in(number, shape), tied)

    def macs(self, inputs: tuple[Shape, ...]) -> int:
        units = self.infer(inputs).units
        return units * sum(self.fan_in(n, shape) for n, shape in enumerate(inputs))

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        reads, groups = zip(*(self._part_of(n, shape, part) for n, shape in enumerate(inputs)), strict=True)
        own = bool(self.per_input) or len(inputs) > 1
        branches = tuple(replace(self.branch(n), groups=g) for n, g in enumerate(groups)) if own else ()
        return Shard(replace(self, filters=part.size, groups=groups[0], per_input=branches), reads)

    def _part_of(self, number: int, shape: Shape, part: Range) -> tuple[Range, int]:
        """Which channels of an input the filters ``part`` read, and in how many groups."""
        groups = self.groups_of(number)
        out, into = self.filters // groups, shape.channels // groups
        first, last = part.start // out, (part.stop - 1) // out
        whole = part.start % out == 0 and part.stop % out == 0
        if first != last and not whole:
            message = f"{groups} groups cannot be split over {self.filters // part.size} devices"
            raise Illegal(
                "NS402", message, "gpu", "use a number of devices that divides the groups, or the other way round"
            )
        return Range(first * into, (last + 1) * into), last - first + 1


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
        for number, (x, shape) in enumerate(zip(code.inputs, code.shapes, strict=True)):
            cls, options, padded = self._constructor(number, x, shape, code)
            arguments = (shape.channels, self.filters, compact(self.window(number).size))
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
            code.inputs[number],
            code.parameter(f"{path}weight"),
            *bias,
            kernel_shape=window.size,
            strides=window.stride,
            pads=pads,
            dilations=window.dilation,
            group=self.groups_of(number),
        )
