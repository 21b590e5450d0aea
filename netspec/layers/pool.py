"""Pooling: the largest, the mean, or the sum of a window of each map.

Source: paper 3.4; reference/cuda-convnet.md 1.1, 1.2 (pool): sizes round up and windows are clipped to the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from netspec.ir.layer import ChannelwiseLayer, Illegal, maps
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.shape import Maps, Shape
from netspec.layers.registry import layer_type
from netspec.layers.window import Pair, Rounding, Sides, Window, compact, show, sides, torch_pad
from netspec.syntax.keys import key


@layer_type
@dataclass(frozen=True)
class Pool(ChannelwiseLayer):
    """Pooling over windows, or over whole maps with `size: global`."""

    type: ClassVar[str] = "pool"
    example: ClassVar[str] = "{type: pool, inputs: conv1, pool: max, size: 3, stride: 2}"

    pool: Literal["max", "avg", "sum", "maxabs"] = key(
        "`max`; `avg`, the mean; `sum`; `maxabs`, the element of largest magnitude with its sign."
    )
    size: Pair | Literal["global"] = key(
        "The window, or `global` for the whole map.", unit="pixels", least=1, most=1024
    )
    stride: Pair = key("Step of the window.", default=(1, 1), unit="pixels", least=1, most=1024)
    pad: Sides = key(
        "Padding: one number, or [top, left, bottom, right].", default=(0, 0, 0, 0), unit="pixels", least=0, most=512
    )
    start: int = key(
        "Where the first window starts: below 0 outside the image, above 0 skips pixels (cuda-convnet).",
        default=0,
        unit="pixels",
        least=-512,
        most=512,
    )
    round: Rounding = key("How the output size is rounded (cuda-convnet, Caffe: `ceil`).", default="ceil")
    count: Literal["image", "padded", "window"] = key(
        "What an average divides by: the pixels of the window inside the image (cuda-convnet), inside the padded image"
        " (Caffe), or all of the window.",
        default="image",
    )

    def window(self, shape: Maps) -> Window:
        if self.size == "global":
            return Window((shape.height, shape.width), (1, 1))
        top, left, bottom, right = self.pad
        before = max(0, -self.start)
        return Window(tuple(self.size), self.stride, (top + before, left + before, bottom, right), round=self.round)

    def seen(self, shape: Maps) -> Maps:
        """The part of the image from a positive ``start`` on."""
        skip = max(0, self.start)
        return Maps(shape.channels, shape.height - skip, shape.width - skip)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = maps(inputs[0], self)
        seen = self.seen(shape)
        if min(seen.height, seen.width) < 1:
            message = f"`start: {self.start}` skips the whole {shape} input"
            raise Illegal("NS311", message, "start", "a smaller start", input=0)
        window = self.window(seen)
        for axis in (0, 1):
            if max(window.pad[axis], window.pad[axis + 2]) >= window.size[axis]:
                message = f"padding {show(window.pad)} is not smaller than the window {show(window.size)}"
                raise Illegal("NS311", message, "pad" if any(self.pad) else "start", "a window must touch the image")
        rows, columns = window.slides(seen, self, inside=True)
        return Maps(shape.channels, rows.count, columns.count)

    def reason(self, inputs: tuple[Shape, ...]) -> str:
        seen = self.seen(maps(inputs[0], self))
        return "" if self.size == "global" else self.window(seen).reason(seen)

    def effective(self, inputs: tuple[Shape, ...]) -> tuple[tuple[str, str], ...]:
        """The rounding, how far windows reach over the edge, and what an average divides by."""
        if self.size == "global":
            return ()
        seen = self.seen(maps(inputs[0], self))
        window = self.window(seen)
        pads = window.pads(*window.slides(seen, self, inside=True))
        divisor = {"image": "pixels of the image", "padded": "pixels of the padded image", "window": "the whole window"}
        average = (("divided by", divisor[self.count]),) if self.pool == "avg" else ()
        return (("rounding", self.round), ("pads", sides(pads)), *average)

    def torch(self, code: TorchCode) -> str:
        shape = maps(code.shapes[0], self)
        skip = max(0, self.start)
        x = code.inputs[0] if not skip else f"{code.inputs[0]}[:, :, {skip}:, {skip}:]"
        if self.size == "global" and self.pool in ("max", "avg"):
            return f"{x}.{'amax' if self.pool == 'max' else 'mean'}(dim=(2, 3), keepdim=True)"
        window = self.window(self.seen(shape))
        if self.pool == "maxabs":
            low, high = self._torch_max(f"-{x}", window, shape), self._torch_max(x, window, shape)
            return f"{code.helper('larger_magnitude')}({high}, {low})"
        return self._torch_max(x, window, shape) if self.pool == "max" else self._torch_mean(x, window, shape, code)

    def _plain(self, window: Window) -> bool:
        """Whether torch's own padding says the same."""
        pad, size = window.pad, window.size
        return pad[:2] == pad[2:] and all(2 * p <= s for p, s in zip(pad[:2], size, strict=True))

    def _torch_max(self, x: str, window: Window, shape: Maps) -> str:
        size, stride = compact(window.size), compact(window.stride)
        if self._plain(window):
            return f"F.max_pool2d({x}, {size}, stride={stride}{self._options(window)})"
        pads = torch_pad(window.pads(*window.slides(self.seen(shape), self, inside=True)))
        return f'F.max_pool2d(F.pad({x}, {pads}, value=float("-inf")), {size}, stride={stride})'

    def _torch_mean(self, x: str, window: Window, shape: Maps, code: TorchCode) -> str:
        size, stride = compact(window.size), compact(window.stride)
        if self.pool == "sum":
            pads = torch_pad(window.pads(*window.slides(self.seen(shape), self, inside=True)))
            padded = f"F.pad({x}, {pads})" if any(pads) else x
            return f"F.avg_pool2d({padded}, {size}, stride={stride}, divisor_override=1)"
        if self._plain(window):
            divisor = f", divisor_override={window.size[0] * window.size[1]}" if self.count == "window" else ""
            excluded = ", count_include_pad=False" if self.count == "image" and any(window.pad) else ""
            return f"F.avg_pool2d({x}, {size}, stride={stride}{self._options(window)}{excluded}{divisor})"
        inner = window.pad if self.count == "padded" else (0, 0, 0, 0)
        outer = window.pads(*window.slides(self.seen(shape), self, inside=True))
        rest = tuple(o - i for o, i in zip(outer, inner, strict=True))
        if self.count == "window":
            inner, rest = outer, (0, 0, 0, 0)
        sides = f"inner={torch_pad(inner)}, outer={torch_pad(rest)}"
        return f"{code.helper('average_pool')}({x}, {size}, stride={stride}, {sides})"

    def _options(self, window: Window) -> str:
        pad = f", padding={compact(window.pad[:2])}" if any(window.pad) else ""
        return pad + (", ceil_mode=True" if self.round == "ceil" else "")

    def onnx(self, code: OnnxCode) -> str:
        shape = maps(code.shapes[0], self)
        x = code.inputs[0]
        if self.start > 0:
            ends = (shape.height, shape.width)
            starts = code.indices("starts", (self.start, self.start))
            x = code.op("Slice", x, starts, code.indices("ends", ends), code.indices("axes", (2, 3)))
        if self.size == "global" and self.pool in ("max", "avg"):
            return code.op("GlobalMaxPool" if self.pool == "max" else "GlobalAveragePool", x)
        window = self.window(self.seen(shape))
        if self.pool == "maxabs":
            high = self._onnx_window(code, "MaxPool", x, window, shape)
            low = self._onnx_window(code, "MaxPool", code.op("Neg", x), window, shape)
            return code.op("Where", code.op("Less", high, low), code.op("Neg", low), high)
        if self.pool == "max":
            return self._onnx_window(code, "MaxPool", x, window, shape)
        return self._onnx_mean(code, x, window, shape)

    def _onnx_mean(self, code: OnnxCode, x: str, window: Window, shape: Maps) -> str:
        if self.pool == "sum":
            mean = self._onnx_window(code, "AveragePool", x, window, shape, include=True)
            return code.op("Mul", mean, code.scalar(window.size[0] * window.size[1]))
        if self.count == "padded" and any(window.pad):
            x = code.op("Pad", x, code.indices("pad", (0, 0, *window.pad[:2], 0, 0, *window.pad[2:])), code.scalar(0))
            return self._onnx_window(code, "AveragePool", x, window, shape, padded=True)
        return self._onnx_window(code, "AveragePool", x, window, shape, include=self.count == "window")

    def _onnx_window(
        self,
        code: OnnxCode,
        op: str,
        x: str,
        window: Window,
        shape: Maps,
        *,
        padded: bool = False,
        include: bool = False,
    ) -> str:
        """Explicit pads say the clipping; `ceil_mode` differs between runtimes where windows start outside."""
        pads = window.pads(*window.slides(self.seen(shape), self, inside=True))
        if padded:
            pads = (0, 0, pads[2] - window.pad[2], pads[3] - window.pad[3])
        options = {"count_include_pad": 1} if include else {}
        return code.op(op, x, kernel_shape=window.size, strides=window.stride, pads=pads, **options)
