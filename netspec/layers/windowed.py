"""What convolutions have in common, with shared weights or without: kernels that slide over groups of channels.

It is no layer type.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from netspec.diagnostics.grammar import count
from netspec.ir.layer import Illegal, LearnedLayer, Shard, maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.parameter import Init, Parameter
from netspec.ir.shape import Maps, Range, Shape
from netspec.layers.groups import channels_of, check_groups, groups_of
from netspec.layers.window import Pair, Rounding, Sides, Window, sides
from netspec.syntax.keys import key


@dataclass(frozen=True)
class ConvInput:
    """What is different for one of several inputs; keys that are left out are the layer's."""

    size: Pair | None = key("Kernel height and width.", default=None, least=1, most=1024)
    stride: Pair | None = key("Step of the window.", default=None, least=1, most=1024)
    pad: Sides | None = key("Zero padding.", default=None, least=0, most=1024)
    dilation: Pair | None = key("Distance of kernel elements.", default=None, least=1, most=1024)
    groups: int | None = key("Groups of channels.", default=None, least=1)
    connections: tuple[int, ...] | None = key("The channels that each group reads.", default=None, least=0)
    init_w: Init | None = key("How these weights start.", default=None)
    share_weights: str | None = key("The layer whose weights are used.", default=None)


@dataclass(frozen=True)
class _Part:
    """What some filters read of one input: channels ``read``, in ``groups``; ``connections`` count from the first."""

    read: Range
    groups: int
    connections: tuple[int, ...] | None


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
    dilation: Pair = key(
        "Distance of neighbouring kernel elements; always 1 in `local`.",
        default=(1, 1),
        unit="pixels",
        least=1,
        most=1024,
    )
    groups: int = key("Groups: filters of group i read only the i-th part of the channels.", default=1, least=1)
    connections: tuple[int, ...] | None = key(
        "The input channels that the groups read, those of the first group first, instead of consecutive parts: a list"
        " that `groups` divides (cuda-convnet's randSparse).",
        default=None,
        least=0,
    )
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

    def connections_of(self, number: int) -> tuple[int, ...] | None:
        own = self.branch(number).connections
        return self.connections if own is None else own

    def reads(self, number: int, shape: Shape) -> int:
        """How many channels all groups of an input read together; one that two groups read counts twice."""
        connections = self.connections_of(number)
        return shape.channels if connections is None else len(connections)

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
        self._check_connections(number, shape)
        self._check_groups(number, shape)
        try:
            rows, columns = self.window(number).slides(shape, self)
        except Illegal as error:
            raise Illegal(error.code, error.message, self._key(number, "size"), error.help, number) from None
        return rows.count, columns.count

    def _check_connections(self, number: int, shape: Maps) -> None:
        connections = self.connections_of(number)
        if connections is None:
            return
        place, name = self._key(number, "connections"), self.inputs[number]
        if not connections:
            raise Illegal("NS319", "`connections` is an empty list", place, "list the channels, or remove the key")
        for at, channel in enumerate(connections):
            if channel >= shape.channels:
                message = f"channel {channel:,} is not among the {shape.channels:,} of `{name}`"
                raise Illegal("NS319", message, (*place, at), f"channels are 0 to {shape.channels - 1:,}", number)

    def _check_groups(self, number: int, shape: Maps) -> None:
        groups, path = self.groups_of(number), self._key(number, "groups")
        if (connections := self.connections_of(number)) is None:
            check_groups(groups, shape.channels, f"channels of `{self.inputs[number]}`", path, number)
        else:
            check_groups(groups, len(connections), "entries of `connections`", path)
        check_groups(groups, self.filters, "filters", path)

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
        return self.reads(number, shape) // self.groups_of(number) * size[0] * size[1]

    def weight(self, number: int, path: str, shape: Shape, more: tuple[int, ...] = ()) -> Parameter:
        """Weight (filters, channels of a group, height, width, *more) of one input."""
        own = self.branch(number)
        dims = (self.filters, self.reads(number, shape) // self.groups_of(number), *self.window(number).size, *more)
        return self.weight_parameter(f"{path}weight", dims, own.init_w, own.share_weights, kernels=not more)

    def macs(self, inputs: tuple[Shape, ...]) -> int:
        units = self.infer(inputs).units
        return units * sum(self.fan_in(n, shape) for n, shape in enumerate(inputs))

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        parts = [self._part_of(n, shape, part) for n, shape in enumerate(inputs)]
        reads, first = tuple(p.read for p in parts), parts[0]
        if not self.per_input and len(inputs) == 1:
            own = replace(self, filters=part.size, groups=first.groups, connections=first.connections)
            return Shard(own, reads)
        own_keys = [replace(self.branch(n), groups=p.groups, connections=p.connections) for n, p in enumerate(parts)]
        return Shard(replace(self, filters=part.size, groups=1, connections=None, per_input=tuple(own_keys)), reads)

    def _part_of(self, number: int, shape: Shape, part: Range) -> _Part:
        """What the filters ``part`` read of an input: with `connections` all channels from the first to the last."""
        groups = self.groups_of(number)
        parts = groups_of(part, self.filters, groups)
        read = channels_of(parts, self.reads(number, shape) // groups)
        connections = self.connections_of(number)
        if connections is None:
            return _Part(read, parts.size, None)
        own = connections[read.start : read.stop]
        read = Range(min(own), max(own) + 1)
        return _Part(read, parts.size, tuple(channel - read.start for channel in own))

    def torch_read(self, number: int, code: TorchCode) -> str:
        """The expression of what the kernels slide over: an input, or its `connections`."""
        connections, x = self.connections_of(number), code.inputs[number]
        return x if connections is None else f"{code.helper('pick_channels')}({x}, {list(connections)})"

    def onnx_read(self, number: int, code: OnnxCode, path: str) -> str:
        """The value that the kernels slide over."""
        connections, x = self.connections_of(number), code.inputs[number]
        return (
            x if connections is None else code.op("Gather", x, code.indices(f"{path}connections", connections), axis=1)
        )
