"""cuda-convnet's layers, restated in float64 as slow, obvious loops over one image. It shares no code with netspec.

Arrays are (channels, rows, columns), or flat. Source: reference/cuda-convnet.md 1.1 to 1.5; what netspec adds to it
(four-sided pads, dilation, floor rounding, other divisors of an average) is the same loop with another index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, exp, floor

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]
Two = tuple[int, ...]  # rows, columns


@dataclass(frozen=True)
class Windows:
    """Windows that slide over (rows, columns); a negative ``before`` is cuda-convnet's positive ``start``."""

    size: Two
    stride: Two
    before: Two = (0, 0)
    after: Two = (0, 0)
    rounding: str = "floor"
    dilation: Two = (1, 1)

    def count(self, axis: int, image: int) -> int:
        """1 + (padded image - size) / stride, rounded."""
        reach = self.dilation[axis] * (self.size[axis] - 1) + 1
        room = (image + self.before[axis] + self.after[axis] - reach) / self.stride[axis]
        return 1 + (ceil(room) if self.rounding == "ceil" else floor(room))


def pixel(x: Image, channel: int, row: int, column: int) -> float:
    """0 outside the image."""
    _, height, width = x.shape
    inside = 0 <= row < height and 0 <= column < width
    return float(x[channel, row, column]) if inside else 0.0


def conv(x: Image, weight: Image, windows: Windows, groups: int, local: bool = False) -> Image:
    """Cross-correlation. ``weight`` is (filters, channels of a group, rows, columns); local: and then where."""
    filters, group_channels, height, width = weight.shape[:4]
    y = np.zeros((filters, windows.count(0, x.shape[1]), windows.count(1, x.shape[2])))
    for f, r, c in np.ndindex(*y.shape):
        first = f // (filters // groups) * group_channels
        for k, i, j in np.ndindex(group_channels, height, width):
            row = r * windows.stride[0] - windows.before[0] + i * windows.dilation[0]
            column = c * windows.stride[1] - windows.before[1] + j * windows.dilation[1]
            w = weight[f, k, i, j, r, c] if local else weight[f, k, i, j]
            y[f, r, c] += w * pixel(x, first + k, row, column)
    return y


def deconv(x: Image, weight: Image, stride: Two, pad: Two, dilation: Two, groups: int) -> Image:
    """Each pixel adds its kernel to the output, whose edges are cut off. Source: Caffe's Deconvolution.

    ``weight`` is (filters, channels of a group, rows, columns), ``pad`` top, left, bottom and right.
    """
    filters, group_channels, *size = weight.shape
    extents = [s * (n - 1) + d * (k - 1) + 1 for s, n, d, k in zip(stride, x.shape[1:], dilation, size, strict=True)]
    y = np.zeros((filters, *extents))
    for f, k, i, j in np.ndindex(*weight.shape):
        channel = f // (filters // groups) * group_channels + k
        for r, c in np.ndindex(*x.shape[1:]):
            place = f, r * stride[0] + i * dilation[0], c * stride[1] + j * dilation[1]
            y[place] += weight[f, k, i, j] * x[channel, r, c]
    top, left, bottom, right = pad
    return y[:, top : extents[0] - bottom, left : extents[1] - right]


def fc(x: Image, weight: Image, groups: int = 1) -> Image:
    """Units are counted channel by channel, row by row; each part of the outputs has its part of them (sfc)."""
    flat = [float(v) for v in x.flatten()]
    outputs, units = weight.shape
    firsts = [o // (outputs // groups) * units for o in range(outputs)]
    return np.array([sum(weight[o, u] * flat[first + u] for u in range(units)) for o, first in enumerate(firsts)])


def pool(x: Image, kind: str, windows: Windows, divisor: str) -> Image:
    """Windows are clipped to the image, and none starts past it; ``divisor`` is what an average counts."""
    channels, height, width = x.shape
    size, stride, before, after = windows.size, windows.stride, windows.before, windows.after
    counts = []
    for axis, image in enumerate((height, width)):
        count = windows.count(axis, image)
        while (count - 1) * stride[axis] - before[axis] >= image:
            count -= 1
        counts.append(count)
    y = np.zeros((channels, *counts))
    for k, r, c in np.ndindex(*y.shape):
        top, left = r * stride[0] - before[0], c * stride[1] - before[1]
        window = [
            float(x[k, row, column])
            for row in range(max(top, 0), min(top + size[0], height))
            for column in range(max(left, 0), min(left + size[1], width))
        ]
        padded = (min(top + size[0], height + after[0]) - top) * (min(left + size[1], width + after[1]) - left)
        number = {"image": len(window), "padded": padded, "window": size[0] * size[1]}[divisor]
        results = {"max": max(window), "sum": sum(window), "avg": sum(window) / number, "maxabs": max(window, key=abs)}
        y[k, r, c] = results[kind]
    return y


def cmpool(x: Image, size: int, stride: int, start: int, outputs: int) -> Image:
    """The maximum over windows of channels that are clipped to those there are; ``x`` may be flat."""
    windows = [range(start + o * stride, start + o * stride + size) for o in range(outputs)]
    return np.array([np.max([x[c] for c in window if 0 <= c < len(x)], axis=0) for window in windows])


def neighbours(at: int, size: int, count: int) -> range:
    """``size`` places from ``at - size // 2`` on, as far as they exist."""
    first = at - size // 2
    return range(max(0, first), min(count, first + size))


def cmrnorm(x: Image, size: int, scale: float, power: float, k: float, groups: int = 1, blocked: bool = False) -> Image:
    """Across maps of a group, or of a block of ``size`` in it; ``scale`` multiplies each square."""
    y, each = np.zeros_like(x), x.shape[0] // groups
    for f, r, c in np.ndindex(*x.shape):
        group = f // each * each
        near = [group + n for n in neighbours(f - group, size, each)]
        if blocked:
            near = [n for n in range(group, group + each) if (n - group) // size == (f - group) // size]
        y[f, r, c] = x[f, r, c] * (k + scale * sum(x[n, r, c] ** 2 for n in near)) ** -power
    return y


def rnorm(x: Image, size: int, scale: float, power: float, k: float) -> Image:
    """Within a map."""
    return _same_map(x, x, size, scale, power, k)


def cnorm(x: Image, size: int, scale: float, power: float, k: float) -> Image:
    """Within a map, of the difference from the mean of each pixel's own clipped window."""
    d = np.zeros_like(x)
    for f, r, c in np.ndindex(*x.shape):
        near = list(_window(x.shape, r, c, size))
        d[f, r, c] = x[f, r, c] - sum(x[f, i, j] for i, j in near) / len(near)
    return _same_map(x, d, size, scale, power, k)


def _same_map(x: Image, squared: Image, size: int, scale: float, power: float, k: float) -> Image:
    y = np.zeros_like(x)
    for f, r, c in np.ndindex(*x.shape):
        total = sum(squared[f, i, j] ** 2 for i, j in _window(x.shape, r, c, size))
        y[f, r, c] = x[f, r, c] * (k + scale * total) ** -power
    return y


def _window(shape: tuple[int, ...], row: int, column: int, size: int) -> Iterator[tuple[int, int]]:
    for i in neighbours(row, size, shape[1]):
        for j in neighbours(column, size, shape[2]):
            yield i, j


def nailbed(x: Image, stride: int) -> Image:
    """Every ``stride``-th pixel from a centred start."""
    kept = []
    for image in x.shape[1:]:
        count = (image + stride - 1) // stride
        start = (image - stride * (count - 1)) // 2
        kept.append([start + n * stride for n in range(count)])
    return np.array([[[x[f, r, c] for c in kept[1]] for r in kept[0]] for f in range(x.shape[0])])


def blur(x: Image, size: int, stdev: float) -> Image:
    """Gaussian taps that sum to 1, across and down; zeros outside."""
    half = size // 2
    taps = [exp(-(d**2) / (2 * stdev**2)) for d in range(-half, half + 1)]
    taps = [tap / sum(taps) for tap in taps]
    y = np.zeros_like(x)
    for f, r, c in np.ndindex(*x.shape):
        for i, down in enumerate(taps):
            for j, across in enumerate(taps):
                y[f, r, c] += down * across * pixel(x, f, r + i - half, c + j - half)
    return y


def resize(x: Image, scale: float, target: int | None = None) -> Image:
    """Bilinear, without half pixels: source = p scale + (image - target scale) / 2, up to image - 1.01."""
    channels, height, width = x.shape
    rows, columns = target or floor(height / scale), target or floor(width / scale)
    y = np.zeros((channels, rows, columns))
    for f, r, c in np.ndindex(*y.shape):
        row, column = _source(r, height, scale, rows), _source(c, width, scale, columns)
        i, j = floor(row), floor(column)
        u, v = row - i, column - j
        upper = (1 - v) * x[f, i, j] + v * x[f, i, j + 1]
        lower = (1 - v) * x[f, i + 1, j] + v * x[f, i + 1, j + 1]
        y[f, r, c] = (1 - u) * upper + u * lower
    return y


def _source(at: int, image: int, scale: float, target: int) -> float:
    place = at * scale + (image - target * scale) / 2
    return min(max(place, 0.0), image - 1.01)


def rgb2yuv(x: Image) -> Image:
    """Brightness and two colours."""
    y = np.zeros_like(x)
    for r, c in np.ndindex(*x.shape[1:]):
        red, green, blue = (float(v) for v in x[:, r, c])
        y[0, r, c] = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        y[1, r, c] = -0.09991 * red - 0.33609 * green + 0.436 * blue
        y[2, r, c] = 0.615 * red - 0.55861 * green - 0.05639 * blue
    return y


def rgb2lab(x: Image, center: bool) -> Image:
    """CIE L*a*b* of colours from 0 to 1."""
    y = np.zeros_like(x)
    for r, c in np.ndindex(*x.shape[1:]):
        red, green, blue = (float(v) for v in x[:, r, c])
        fx = _lab_f(0.49 * red + 0.31 * green + 0.2 * blue)
        fy = _lab_f(0.17697 * red + 0.8124 * green + 0.01063 * blue)
        fz = _lab_f(0.01 * green + 0.99 * blue)
        y[:, r, c] = 116 * fy - 16 - (50 if center else 0), 500 * (fx - fy), 200 * (fy - fz)
    return y


def _lab_f(t: float) -> float:
    return float(t**0.3333) if t > 0.0088564517 else 7.787037 * t + 0.13793103


def softmax(x: Image) -> Image:
    """Over all units."""
    powers = [exp(v - x.max()) for v in x.flatten()]
    return np.array([p / sum(powers) for p in powers])


def batchnorm(x: Image, weight: Image, bias: Image, mean: Image, variance: Image, eps: float) -> Image:
    """With the running statistics. Source: Ioffe and Szegedy 2015."""
    y = np.zeros_like(x)
    for f in range(x.shape[0]):
        y[f] = (x[f] - mean[f]) / np.sqrt(variance[f] + eps) * weight[f] + bias[f]
    return y


def affine(x: Image, weight: Image, bias: Image) -> Image:
    """Source: Caffe's Scale and Bias layers."""
    return np.array([weight[f] * x[f] + bias[f] for f in range(len(x))])


def prelu(x: Image, slopes: Image) -> Image:
    """With a slope for each channel, or one. Source: He et al. 2015, 2.1."""
    return np.array([np.where(x[f] > 0, x[f], slopes[f if len(slopes) > 1 else 0] * x[f]) for f in range(len(x))])


NEURONS: dict[str, Callable[..., Image]] = {
    "relu": lambda x: np.where(x > 0, x, 0),
    "tanh": lambda x, a, b: a * np.tanh(b * x),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "softrelu": lambda x: np.where(x > 4, x, np.log(1 + np.exp(np.minimum(x, 4)))),
    "abs": np.abs,
    "square": lambda x: x**2,
    "sqrt": np.sqrt,
    "linear": lambda x, a, b: a * x + b,
    "brelu": lambda x, a: np.minimum(a, np.maximum(0, x)),
    "drelu": lambda x, a: x - a * np.tanh(x / a),
    "log": lambda x, a: np.log(a + x),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "elu": lambda x, a: np.where(x > 0, x, a * (np.exp(np.minimum(x, 0)) - 1)),
    "leaky": lambda x, a: np.maximum(0, x) + a * np.minimum(0, x),
    "power": lambda x, a, b, c: (b * x + c) ** a,
    "clip": lambda x, a, b: np.minimum(b, np.maximum(a, x)),
}
