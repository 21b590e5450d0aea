"""cuda-convnet's forward pass at test, from a pair of files, in slow float64. It shares no code with netspec.

It reads with Python's configparser and reckons with tests/reference/cuda_convnet.py; what an option means is written
out here once more. Source: reference/cuda-convnet.md 1, 3. Weights come by netspec's names and layouts (trap 27).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from configparser import RawConfigParser
from dataclasses import dataclass

import numpy as np

from tests.reference import cuda_convnet
from tests.reference.cuda_convnet import Image, Windows

Options = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """A layer: its name, its options in both files, and what it reads. ``connections`` are those drawn for it."""

    name: str
    options: Options
    params: Options
    inputs: Sequence[Image]
    weights: Mapping[str, Image]
    connections: Sequence[Sequence[int]]

    def texts(self, option: str, default: str = "") -> list[str]:
        """A value for each input: one that stands alone is all inputs'."""
        values = [v.strip() for v in self.options.get(option.lower(), default).split(",")]
        return values if len(values) == len(self.inputs) else values * len(self.inputs)

    def ints(self, option: str, default: str = "") -> list[int]:
        return [int(text) for text in self.texts(option, default)]

    def whole(self, option: str, default: int | None = None) -> int:
        return int(self.options[option.lower()] if default is None else self.options.get(option.lower(), default))

    def weight(self, number: int) -> Image:
        several = len(self.inputs) > 1
        return self.weights[f"{self.name}.{number}.weight" if several else f"{self.name}.weight"]

    @property
    def bias(self) -> Image:
        return self.weights[f"{self.name}.0.bias" if len(self.inputs) > 1 else f"{self.name}.bias"]

    @property
    def maps(self) -> Image:
        return square(self.inputs[0], self.whole("channels"))


def run(
    definition: str,
    params: str,
    image: Image,
    weights: Mapping[str, Image],
    connections: Mapping[str, Sequence[Sequence[int]]],
) -> dict[str, Image]:
    """Every layer's output, neuron included."""
    layers, parameters = read(definition), read(params)
    values: dict[str, Image] = {}
    for name, options in layers.items():
        kind = options["type"]
        if kind == "data":
            values[name] = image
        elif not kind.startswith("cost."):
            inputs = [values[source.strip()] for source in options["inputs"].split(",")]
            case = Case(name, options, parameters.get(name, {}), inputs, weights, connections.get(name, ()))
            values[name] = FORWARD[kind](case)
            if kind != "neuron":
                values[name] = activate(values[name], options.get("neuron", "ident"))
    return values


def read(text: str) -> dict[str, Options]:
    parser = RawConfigParser(strict=False, inline_comment_prefixes=None)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def square(x: Image, channels: int) -> Image:
    """Units as square maps of so many channels."""
    side = round((x.size / channels) ** 0.5)
    return x.reshape(channels, side, side)


def activate(x: Image, neuron: str) -> Image:
    name, _, numbers = neuron.partition("[")
    if name == "ident":
        return x
    arguments = [float(n) for n in numbers.rstrip("]").split(",")] if numbers else []
    return cuda_convnet.NEURONS[name](x, *arguments)


def windowed(case: Case) -> Image:
    """The sum over inputs of grouped cross-correlations, whose windows cover the image."""
    total: Image = np.zeros(())
    channels, sizes, strides = case.ints("channels"), case.ints("filterSize"), case.ints("stride", "1")
    pads, groups = case.ints("padding", "0"), case.ints("groups", "1")
    sparse = [text in ("1", "true") for text in case.texts("randSparse", "0")]
    for number, own in enumerate(case.inputs):
        x = square(own, channels[number])
        if sparse[number] and case.connections[number]:
            x = x[list(case.connections[number])]
        size, stride, pad = sizes[number], strides[number], pads[number]
        modules = case.whole("modulesX", 0) or 1 + -(-(2 * pad + x.shape[1] - size) // stride)
        after = (modules - 1) * stride + size - pad - x.shape[1]
        windows = Windows((size, size), (stride, stride), (pad, pad), (after, after))
        weight = case.weight(number)
        total = total + cuda_convnet.conv(x, weight, windows, groups[number], local=weight.ndim == 6)
    return total + (case.bias if case.bias.ndim == 3 else case.bias[:, None, None])


def connected(case: Case) -> Image:
    total = sum(cuda_convnet.fc(x, case.weight(n), case.whole("parts", 1)) for n, x in enumerate(case.inputs))
    return np.asarray(total + case.bias)


def pool(case: Case) -> Image:
    """Window i begins at start + i stride and is clipped to the image."""
    x, size, stride = case.maps, case.whole("sizeX"), case.whole("stride")
    start, side = case.whole("start", 0), case.maps.shape[1]
    outputs = case.whole("outputsX", 0) or -(-(side - start - size) // stride) + 1
    y = np.zeros((x.shape[0], outputs, outputs))
    for f, r, c in np.ndindex(*y.shape):
        rows, columns = (range(max(0, start + i * stride), min(side, start + i * stride + size)) for i in (r, c))
        window = [x[f, row, column] for row in rows for column in columns]
        y[f, r, c] = reduced(case, window)
    return y


def reduced(case: Case, window: list[float]) -> float:
    kind = case.options["pool"]
    if kind == "avg":
        return sum(window) / (1 if case.options.get("sum", "0") == "1" else len(window))
    return max(window, key=abs) if kind == "maxabs" else max(window)


def norm(case: Case) -> Image:
    """`scale` over the size, or over its square."""
    kind, x = case.options["type"], case.maps
    size = int(case.options.get("size", case.options.get("sizex", "")))
    where = case.options if "scale" in case.options else case.params
    scale, power, k = float(where["scale"]), float(where["pow"]), float(case.params.get("mindiv", 1))
    if kind == "cmrnorm" and case.options.get("blocked", "0") == "1":
        blocks = [cuda_convnet.cmrnorm(x[n : n + size], 2 * size, scale / size, power, k) for n in starts(x, size)]
        return np.concatenate(blocks)
    if kind == "cmrnorm":
        return cuda_convnet.cmrnorm(x, size, scale / size, power, k)
    return {"rnorm": cuda_convnet.rnorm, "cnorm": cuda_convnet.cnorm}[kind](x, size, scale / size**2, power, k)


def starts(x: Image, size: int) -> range:
    """Where the blocks of channels begin; a window of twice the size sees all of a block's."""
    return range(0, len(x), size)


def kept(case: Case) -> Image:
    """Both hs and dropout2 at test, enabled or not."""
    return case.inputs[0] * float({**case.params, **case.options}.get("keep", 0.5))


def flat_sum(case: Case) -> Image:
    where = case.params if "coeffs" in case.params else case.options
    coefficients = [float(c) for c in where.get("coeffs", "1").split(",")] * len(case.inputs)
    terms = [c * x.flatten() for c, x in zip(coefficients, case.inputs, strict=False)]
    return np.asarray(sum(terms)).reshape(case.inputs[0].shape)


def together(case: Case) -> Image:
    """Units one after the other; as maps where all inputs are maps of one size."""
    sides = {x.shape[1:] for x in case.inputs}
    return np.concatenate([x if len(sides) == 1 else x.flatten() for x in case.inputs])


def colours(case: Case) -> Image:
    """Section 1.2's rows."""
    x = case.inputs[0]
    if case.options["type"] == "rgb2yuv":
        return np.tensordot([[0.2126, 0.7152, 0.0722], [-0.09991, -0.33609, 0.436], [0.615, -0.55861, -0.05639]], x, 1)
    xyz = np.tensordot([[0.49, 0.31, 0.2], [0.17697, 0.8124, 0.01063], [0, 0.01, 0.99]], x, 1)
    f = np.where(xyz > 0.0088564517, np.maximum(xyz, 1e-9) ** 0.3333, 7.787037 * xyz + 0.13793103)
    lightness = 116 * f[1] - 16 - (50 if case.options.get("center", "0") == "1" else 0)
    return np.array([lightness, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def cropped(case: Case) -> Image:
    left, side = case.whole("startX"), case.whole("sizeX")
    top = case.whole("startY", left)
    return case.maps[:, top : top + side, left : left + side]


def rescaled(case: Case) -> Image:
    """At test: of 2012, which has no such params section here, the centre; of 2014 the whole picture, scaled."""
    x, side = case.maps, case.whole("tgtSize")
    if case.params.get("year") == "2014":
        return cuda_convnet.resize(x, float(case.options["maxscale"]), side)
    start = (x.shape[1] - side) // 2
    return x[:, start : start + side, start : start + side]


FORWARD: dict[str, Callable[[Case], Image]] = {
    "conv": windowed,
    "local": windowed,
    "fc": connected,
    "sfc": connected,
    "treefc": connected,
    "pool": pool,
    "cmpool": lambda case: cuda_convnet.cmpool(
        case.maps, case.whole("size"), case.whole("stride"), case.whole("start", 0), case.whole("outputs")
    ),
    "nailbed": lambda case: cuda_convnet.nailbed(case.maps, case.whole("stride")),
    "rnorm": norm,
    "cmrnorm": norm,
    "cnorm": norm,
    "neuron": lambda case: activate(case.inputs[0], case.options["neuron"]),
    "hs": kept,
    "dropout": lambda case: case.inputs[0],
    "dropout2": kept,
    "softmax": lambda case: cuda_convnet.softmax(case.inputs[0]),
    "eltsum": flat_sum,
    "eltmax": lambda case: np.max([x.flatten() for x in case.inputs], axis=0).reshape(case.inputs[0].shape),
    "concat": together,
    "pass": together,
    "blur": lambda case: cuda_convnet.blur(case.maps, case.whole("filterSize"), float(case.options["stdev"])),
    "href": lambda case: case.inputs[0][:, :, ::-1],
    "resize": lambda case: cuda_convnet.resize(case.maps, float(case.options["scale"])),
    "rscale": rescaled,
    "crop": cropped,
    "rgb2yuv": colours,
    "rgb2lab": colours,
}
