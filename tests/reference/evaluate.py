"""A layer of netspec by the restatement: it reads only the keys of the language, never a rule of the layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from netspec.ir.layer import Layer
from netspec.layers.batchnorm import BatchNorm
from netspec.layers.channels import CrossMapPool, SliceLayer
from netspec.layers.cnorm import ContrastNorm
from netspec.layers.colour import RgbToLab
from netspec.layers.combine import EltSum
from netspec.layers.deconv import Deconv
from netspec.layers.dropout import Dropout
from netspec.layers.fc import Fc
from netspec.layers.image import Blur, Crop, Nailbed, Resize
from netspec.layers.pool import Pool
from netspec.layers.reshape import Reshape
from netspec.layers.rnorm import Normalisation, ResponseNorm
from netspec.layers.windowed import ConvInput, WindowedLayer
from tests.reference import cuda_convnet
from tests.reference.cuda_convnet import Image, Windows

Parameters = Mapping[str, Image]  # by path in the layer


@dataclass(frozen=True)
class Call:
    """A layer, what it reads of one image, and its tensors."""

    layer: Layer
    inputs: tuple[Image, ...]
    parameters: Parameters


def evaluate(call: Call) -> Image:
    """The layer's output for one image, neuron included. Raises KeyError for a type that is not restated."""
    layer = call.layer
    y = RESTATED[layer.type](call)
    if layer.neuron is None:
        return y
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return cuda_convnet.NEURONS[layer.neuron.kind](y, *layer.neuron.arguments)


def _windowed(call: Call) -> Image:
    """Conv and local: the sum over inputs, and one bias."""
    layer, inputs, parameters = call.layer, call.inputs, call.parameters
    assert isinstance(layer, WindowedLayer)
    several = len(inputs) > 1
    total: Image = np.zeros(())
    for number, x in enumerate(inputs):
        own = layer.per_input[number] if layer.per_input else ConvInput()
        connections = layer.connections if own.connections is None else own.connections
        total = total + cuda_convnet.conv(
            x if connections is None else np.array([x[channel] for channel in connections]),
            parameters[f"{number}.weight" if several else "weight"],
            _windows(layer, own),
            own.groups or layer.groups,
            local=layer.type == "local",
        )
    bias = parameters.get("0.bias" if several else "bias")
    if bias is None:
        return total
    return total + (bias if bias.ndim == 3 else bias[:, None, None])


def _windows(layer: WindowedLayer, own: ConvInput) -> Windows:
    pad = own.pad or layer.pad
    size, stride, dilation = own.size or layer.size, own.stride or layer.stride, own.dilation or layer.dilation
    return Windows(size, stride, pad[:2], pad[2:], layer.round, dilation)


def _deconv(call: Call) -> Image:
    layer = call.layer
    assert isinstance(layer, Deconv)
    numbers = call.parameters
    y = cuda_convnet.deconv(call.inputs[0], numbers["weight"], layer.stride, layer.pad, layer.dilation, layer.groups)
    return y + numbers["bias"][:, None, None] if "bias" in numbers else y


def _fc(call: Call) -> Image:
    layer, inputs, parameters = call.layer, call.inputs, call.parameters
    assert isinstance(layer, Fc)
    several = len(inputs) > 1
    paths = [f"{number}.weight" if several else "weight" for number in range(len(inputs))]
    total = sum(cuda_convnet.fc(x, parameters[path], layer.groups) for x, path in zip(inputs, paths, strict=True))
    return cast(Image, total + parameters.get("0.bias" if several else "bias", 0))


def _pool(call: Call) -> Image:
    layer, inputs = call.layer, call.inputs
    assert isinstance(layer, Pool)
    x = inputs[0]
    if layer.size == "global":
        skip = max(layer.start, 0)
        seen = x[:, skip:, skip:]
        return cuda_convnet.pool(seen, layer.pool, Windows(seen.shape[1:], (1, 1)), "window")
    top, left, bottom, right = layer.pad
    before, after = (top - layer.start, left - layer.start), (bottom, right)
    if layer.start > 0:  # pixels are skipped first; padding, if any, stands before those that are left
        x, before = x[:, layer.start :, layer.start :], (top, left)
    windows = Windows(layer.size, layer.stride, before, after, layer.round)
    return cuda_convnet.pool(x, layer.pool, windows, layer.count)


def _norm(call: Call) -> Image:
    layer, inputs = call.layer, call.inputs
    assert isinstance(layer, Normalisation)
    across_maps = isinstance(layer, ResponseNorm) and layer.across == "channels"
    neighbours = layer.size if across_maps else layer.size**2
    scale = layer.alpha if layer.alpha_over == "sum" else layer.alpha / neighbours
    numbers = (layer.size, scale, layer.beta, layer.k)
    if isinstance(layer, ContrastNorm):
        return cuda_convnet.cnorm(inputs[0], *numbers)
    if isinstance(layer, ResponseNorm) and across_maps:
        return cuda_convnet.cmrnorm(inputs[0], *numbers, layer.groups, layer.blocked)
    return cuda_convnet.rnorm(inputs[0], *numbers)


def _eltsum(call: Call) -> Image:
    layer, inputs = call.layer, call.inputs
    assert isinstance(layer, EltSum)
    factors = layer.coefficients or (1.0,) * len(inputs)
    return cast(Image, sum(factor * x for factor, x in zip(factors, inputs, strict=True)))


def _slice(call: Call) -> Image:
    layer = call.layer
    assert isinstance(layer, SliceLayer)
    return np.array([call.inputs[0][layer.start + n] for n in range(layer.channels)])


def _cmpool(call: Call) -> Image:
    layer, x = call.layer, call.inputs[0]
    assert isinstance(layer, CrossMapPool)
    outputs = layer.outputs or 1
    while not layer.outputs and layer.start + (outputs - 1) * layer.stride + layer.size < len(x):
        outputs += 1
    return cuda_convnet.cmpool(x, layer.size, layer.stride, layer.start, outputs)


def _lab(call: Call) -> Image:
    assert isinstance(call.layer, RgbToLab)
    return cuda_convnet.rgb2lab(call.inputs[0], call.layer.center)


def _reshape(call: Call) -> Image:
    layer, x = call.layer, call.inputs[0]
    assert isinstance(layer, Reshape)
    return x.reshape([dim or x.shape[place] for place, dim in enumerate(layer.shape)])


def _batchnorm(call: Call) -> Image:
    layer, inputs = call.layer, call.inputs
    assert isinstance(layer, BatchNorm)
    mean, variance = (call.parameters[name] for name in ("running_mean", "running_var"))
    ones = np.ones_like(mean)
    weight, bias = (call.parameters["weight"], call.parameters["bias"]) if layer.affine else (ones, 0 * ones)
    return cuda_convnet.batchnorm(inputs[0], weight, bias, mean, variance, layer.eps)


def _affine(call: Call) -> Image:
    channels, numbers = len(call.inputs[0]), call.parameters
    return cuda_convnet.affine(
        call.inputs[0], numbers.get("weight", np.ones(channels)), numbers.get("bias", np.zeros(channels))
    )


def _dropout(call: Call) -> Image:
    """At test."""
    layer, inputs = call.layer, call.inputs
    assert isinstance(layer, Dropout)
    return inputs[0] * (1 - layer.rate) if layer.scale == "test" else inputs[0]


def _pixels(call: Call) -> Image:
    """Nailbed, blur, crop and resize."""
    layer, x = call.layer, call.inputs[0]
    if isinstance(layer, Nailbed):
        return cuda_convnet.nailbed(x, layer.stride)
    if isinstance(layer, Blur):
        return cuda_convnet.blur(x, layer.size, layer.stdev)
    if isinstance(layer, Resize):
        return cuda_convnet.resize(x, layer.scale)
    assert isinstance(layer, Crop)
    rows, columns = (range(at, at + size) for at, size in zip(layer.start, layer.size, strict=True))
    return np.array([[[x[f, r, c] for c in columns] for r in rows] for f in range(x.shape[0])])


RESTATED: dict[str, Callable[[Call], Image]] = {
    "affine": _affine,
    "batchnorm": _batchnorm,
    "blur": _pixels,
    "cmpool": _cmpool,
    "cnorm": _norm,
    "concat": lambda call: np.array([channel for x in call.inputs for channel in x]),
    "conv": _windowed,
    "crop": _pixels,
    "deconv": _deconv,
    "dropout": _dropout,
    "eltmax": lambda call: np.max(np.array(call.inputs), axis=0),
    "eltprod": lambda call: np.prod(np.array(call.inputs), axis=0),
    "eltsum": _eltsum,
    "fc": _fc,
    "flatten": lambda call: call.inputs[0].reshape(-1),
    "flip": lambda call: call.inputs[0][:, :, ::-1],
    "local": _windowed,
    "nailbed": _pixels,
    "neuron": lambda call: call.inputs[0],
    "pool": _pool,
    "prelu": lambda call: cuda_convnet.prelu(call.inputs[0], call.parameters["weight"]),
    "reshape": _reshape,
    "resize": _pixels,
    "rgb2lab": _lab,
    "rgb2yuv": lambda call: cuda_convnet.rgb2yuv(call.inputs[0]),
    "rnorm": _norm,
    "slice": _slice,
    "softmax": lambda call: cuda_convnet.softmax(call.inputs[0]),
}
