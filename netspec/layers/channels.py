"""Layers that choose among channels: slice, and the maximum over windows of channels. None of them learns.

Source: Caffe's Slice; reference/cuda-convnet.md 1.1, 1.2 (cmpool).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from netspec.diagnostics.grammar import count
from netspec.ir.layer import Illegal, Layer, Shard
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Range, Shape
from netspec.layers.registry import layer_type
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class SliceLayer(Layer):
    """A range of its input's channels, or of its units where it is flat."""

    type: ClassVar[str] = "slice"
    example: ClassVar[str] = "{type: slice, inputs: conv1, start: 48, channels: 48}"

    start: int = key("The first channel that is kept.", default=0, least=0)
    channels: int = key("How many are kept.", least=1)

    @property
    def kept(self) -> Range:
        return Range(self.start, self.start + self.channels)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if self.kept.stop > inputs[0].channels:
            what = count(inputs[0].channels, "channel" if len(inputs[0].dims) > 1 else "unit")
            message = f"the slice ends at {self.kept.stop:,}, but `{self.inputs[0]}` has {what}"
            raise Illegal("NS313", message, "channels", "a smaller `channels` or `start`")
        return inputs[0].with_channels(self.channels)

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """A part reads what it keeps and no more."""
        return Shard(replace(self, start=0, channels=part.size), (part.shift(self.start),))

    def torch(self, code: TorchCode) -> str:
        return f"{code.inputs[0]}[:, {self.kept.start}:{self.kept.stop}]"

    def onnx(self, code: OnnxCode) -> str:
        starts, ends = code.indices("starts", (self.kept.start,)), code.indices("ends", (self.kept.stop,))
        return code.op("Slice", code.inputs[0], starts, ends, code.indices("axes", (1,)))


@layer_type
@dataclass(frozen=True)
class CrossMapPool(Layer):
    """The maximum over windows of channels, at each pixel; windows are clipped to the channels that there are."""

    type: ClassVar[str] = "cmpool"
    example: ClassVar[str] = "{type: cmpool, inputs: conv1, size: 2, stride: 2}"

    size: int = key("Channels in a window.", unit="channels", least=1, most=1024)
    stride: int = key("Step of the window.", default=1, unit="channels", least=1, most=1024)
    start: int = key("Where the first window starts; below 0 before the first channel.", default=0, least=-1023, most=0)
    outputs: int | None = key(
        "How many windows; by default as many as it takes to reach the last channel.", default=None, least=1
    )

    def windows(self, channels: int) -> int:
        """How many windows there are."""
        room = channels - self.start - self.size
        return self.outputs or 1 + max(0, -(-room // self.stride))

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        channels = inputs[0].channels
        windows = self.windows(channels)
        last = self.start + (windows - 1) * self.stride
        if self.stride > self.size:
            message = f"windows of {self.size} every {self.stride} channels leave some out"
            raise Illegal("NS310", message, "stride", "a `stride` that is no larger than `size`")
        if self.start + self.size <= 0 or last >= channels:
            blamed, side = ("start", "first") if self.start + self.size <= 0 else ("outputs", "last")
            raise Illegal(
                "NS311", f"the {side} of {count(windows, 'window')} holds no channel", blamed, self._enough(channels)
            )
        if last + self.size < channels:
            message = f"{count(windows, 'window')} end at channel {last + self.size:,} of {channels:,}"
            raise Illegal("NS310", message, "outputs", self._enough(channels))
        return inputs[0].with_channels(windows)

    def _enough(self, channels: int) -> str:
        start = max(self.start, 1 - self.size)
        windows = replace(self, start=start, outputs=None).windows(channels)
        return f"from {start} on {count(windows, 'window')} cover all channels"

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """A part reads the channels that its windows hold."""
        first, last = (self.start + output * self.stride for output in (part.start, part.stop - 1))
        held = Range(max(0, first), min(inputs[0].channels, last + self.size))
        return Shard(replace(self, start=first - held.start, outputs=part.size), (held,))

    def effective(self, inputs: tuple[Shape, ...]) -> tuple[tuple[str, str], ...]:
        """How far the windows reach over the first and the last channel."""
        before, after = self._beyond(inputs[0].channels)
        return (("channels beyond", f"first {before}, last {after}"),)

    def _beyond(self, channels: int) -> tuple[int, int]:
        stop = self.start + (self.windows(channels) - 1) * self.stride + self.size
        return -self.start, stop - channels

    def torch(self, code: TorchCode) -> str:
        before, after = self._beyond(code.shapes[0].channels)
        beyond = f", before={before}, after={after}" if before or after else ""
        return f"{code.helper('cross_map_pool')}({code.inputs[0]}, size={self.size}, stride={self.stride}{beyond})"

    def onnx(self, code: OnnxCode) -> str:
        """MaxPool over a plane whose rows are channels and whose columns are pixels."""
        shape = code.shapes[0]
        before, after = self._beyond(shape.channels)
        plane = (0, 1, shape.channels, shape.units // shape.channels)
        rows = code.op("Reshape", code.inputs[0], code.indices("plane", plane))
        pooled = code.op(
            "MaxPool", rows, kernel_shape=(self.size, 1), strides=(self.stride, 1), pads=(before, 0, after, 0)
        )
        return code.op("Reshape", pooled, code.indices("dims", (0, *code.output.dims)))
