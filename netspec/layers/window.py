"""Sliding windows: how many fit, what hangs over the edge, and why. It is arithmetic, not a layer.

Source: `round: ceil` is cuda-convnet's rule, 1 + ceil((2 pad + image - size) / stride); frameworks floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from netspec.ir.layer import Illegal, Layer
from netspec.ir.shape import Maps
from netspec.syntax.keys import Spread

Pair = Annotated[tuple[int, ...], Spread(2, ("height", "width"))]
Sides = Annotated[tuple[int, ...], Spread(4, ("top", "left", "bottom", "right"))]
Rounding = Literal["floor", "ceil"]


def effective_size(size: int, dilation: int) -> int:
    """Pixels from a kernel's first element to its last, both counted."""
    return dilation * (size - 1) + 1


@dataclass(frozen=True)
class Slide:
    """Windows along one axis: ``count`` of them, reading ``after`` pixels past the end (at least the padding)."""

    count: int
    after: int


@dataclass(frozen=True)
class Window:
    """A window in two dimensions; pad is (top, left, bottom, right)."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...] = (0, 0, 0, 0)
    dilation: tuple[int, ...] = (1, 1)
    round: Rounding = "floor"

    def slide(self, axis: int, image: int, inside: bool = False) -> Slide:
        """Axis 0 is the height. ``inside``: a window that starts past the image and its padding is dropped."""
        before, after, stride = self.pad[axis], self.pad[axis + 2], self.stride[axis]
        reach = effective_size(self.size[axis], self.dilation[axis])
        room = image + before + after - reach
        count = (room // stride if self.round == "floor" else -(-room // stride)) + 1
        if inside and (count - 1) * stride >= image + before:
            count -= 1
        return Slide(count, max(after, (count - 1) * stride + reach - image - before))

    def fits(self, axis: int, image: int) -> bool:
        """Whether the padded image has room for a window."""
        return effective_size(self.size[axis], self.dilation[axis]) <= image + self.pad[axis] + self.pad[axis + 2]

    def slides(self, shape: Maps, layer: Layer, inside: bool = False) -> tuple[Slide, Slide]:
        """Both axes. Raises Illegal NS302 where the window is larger than the padded image."""
        for axis, image in enumerate((shape.height, shape.width)):
            if not self.fits(axis, image):
                raise Illegal("NS302", self._too_large(layer, shape), "size", self._fix(shape), input=0)
        return self.slide(0, shape.height, inside), self.slide(1, shape.width, inside)

    def pads(self, rows: Slide, columns: Slide) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) with which plain floor rounding gives the same windows."""
        return (self.pad[0], self.pad[1], rows.after, columns.after)

    def reason(self, shape: Maps) -> str:
        """``ceil((224 + 0 + 0 - 11) / 4) + 1 = 55``, of the height."""
        before, after = self.pad[0], self.pad[2]
        reach = effective_size(self.size[0], self.dilation[0])
        count = self.slide(0, shape.height).count
        return f"{self.round}(({shape.height} + {before} + {after} - {reach}) / {self.stride[0]}) + 1 = {count}"

    def _too_large(self, layer: Layer, shape: Maps) -> str:
        kind = "window" if layer.type == "pool" else "kernel"
        dilated = f" with dilation {show(self.dilation)}" if self.dilation != (1, 1) else ""
        padded = " (padded by " + show(self.pad) + ")" if any(self.pad) else ""
        size, image = "x".join(map(str, self.size)), f"{shape.height}x{shape.width}"
        return f"{kind} {size}{dilated} does not fit a {image} input{padded}"

    def _fix(self, shape: Maps) -> str:
        images = (shape.height, shape.width)
        missing = max(effective_size(self.size[axis], self.dilation[axis]) - images[axis] for axis in (0, 1))
        return f"a smaller size, or `pad: {-(-missing // 2)}` or more"


def show(values: tuple[int, ...]) -> str:
    """One number where all are equal, else the list."""
    return str(values[0]) if len(set(values)) == 1 else str(list(values))


def sides(pads: tuple[int, ...]) -> str:
    """``top 0, left 0, bottom 3, right 3``."""
    return ", ".join(f"{side} {pad}" for side, pad in zip(("top", "left", "bottom", "right"), pads, strict=True))


def compact(values: tuple[int, ...]) -> int | tuple[int, ...]:
    """``(3, 3)`` as 3, for generated code."""
    return values[0] if len(set(values)) == 1 else values


def torch_pad(pads: tuple[int, ...]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) in torch's order (left, right, top, bottom)."""
    top, left, bottom, right = pads
    return (left, right, top, bottom)
