"""Caffe's layers with weights: Convolution, Deconvolution, InnerProduct. Normalisations are elsewhere.

Source: caffe.proto; base_conv_layer.cpp for shapes: (image + 2 pad - reach) / stride + 1, rounded down.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.diagnostics.grammar import sizes
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import Held, Reader, Reading, at, wrong
from netspec.importers.caffe.sharing import with_sharing
from netspec.importers.caffe.start import Fans, learning
from netspec.importers.caffe.windows import Kernel, pair
from netspec.importers.draft import Value

if TYPE_CHECKING:
    from netspec.importers.caffe.reading import Array


def _convolution(reading: Reading) -> tuple[Held, ...]:
    parameter, kernel, groups = _options(reading)
    channels, *image = reading.maps()
    filters, bias = _filters(parameter, channels, groups), parameter.flag("bias_term", default=True)
    weight = (filters, channels // groups, *kernel.size)
    sides = [
        max(1, (image[axis] + 2 * kernel.pad[axis] - kernel.reach(axis)) // kernel.stride[axis] + 1) for axis in (0, 1)
    ]
    held = _add(reading, "conv", parameter, kernel, (reading.input.shape[0], filters, *sides), weight)
    reading.learns(held, "weight", 0, weight)
    if bias:
        reading.learns(held, "bias", 1, (filters,))
    return (held,)


def _deconvolution(reading: Reading) -> tuple[Held, ...]:
    parameter, kernel, groups = _options(reading)
    channels, *image = reading.maps()
    filters, bias = _filters(parameter, channels, groups), parameter.flag("bias_term", default=True)
    weight = (channels, filters // groups, *kernel.size)
    sides = [max(1, kernel.stride[a] * (image[a] - 1) + kernel.reach(a) - 2 * kernel.pad[a]) for a in (0, 1)]
    held = _add(reading, "deconv", parameter, kernel, (reading.input.shape[0], filters, *sides), weight)
    reading.learns(held, "weight", 0, weight, partial(_output_first, groups=groups))
    if bias:
        reading.learns(held, "bias", 1, (filters,))
    return (held,)


def _inner_product(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("inner_product_param")
    _only_images(reading, parameter)
    outputs, units = parameter.integer("num_output"), reading.input.units
    bias, turned = parameter.flag("bias_term", default=True), parameter.flag("transpose", default=False)
    if reading.input.pixels > 1:
        image = sizes(reading.input.image)
        reading.meaning("fc order", f"weights read the {image} maps channel by channel, row by row, as here")
    shape = (units, outputs) if turned else (outputs, units)
    keys = with_sharing(reading, learning(reading, parameter, Fans(shape[1], shape[0]), bias=bias))
    size: dict[str, Value] = {"outputs": at(parameter, "num_output", outputs)}
    held = reading.add("fc", (reading.input.shape[0], outputs), size | keys)
    reading.learns(held, "weight", 0, shape, _transposed if turned else None)
    if bias:
        reading.learns(held, "bias", 1, (outputs,))
    return (held,)


def _add(
    reading: Reading,
    type: str,
    parameter: Message,
    kernel: Kernel,
    shape: tuple[int, ...],
    weight: tuple[int, ...],
) -> Held:
    pixels = weight[2] * weight[3]
    fans = Fans(weight[1] * pixels, weight[0] * pixels)
    keys: dict[str, Value] = {"filters": at(parameter, "num_output", shape[1]), **kernel.keys(parameter)}
    if parameter.integer("group", 1) != 1:
        keys["groups"] = at(parameter, "group", parameter.integer("group"))
    bias = parameter.flag("bias_term", default=True)
    keys |= with_sharing(reading, learning(reading, parameter, fans, bias=bias))
    return reading.add(type, shape, keys)


def _options(reading: Reading) -> tuple[Message, Kernel, int]:
    parameter = reading.parameter("convolution_param")
    if len(reading.inputs) > 1:
        text = f"one {reading.wired.type} layer over {len(reading.inputs)} bottoms"
        raise reading.lost(text, reading.message.place_of("bottom"))
    if reading.axis(parameter, "axis") != 1:
        raise reading.lost("a convolution along another axis than the channels'", parameter.place_of("axis"))
    kernel = Kernel(
        pair(reading, parameter, "kernel_size", "kernel"),
        pair(reading, parameter, "stride", "stride", 1),
        pair(reading, parameter, "pad", "pad", 0),
        pair(reading, parameter, "dilation", "", 1),
    )
    groups = parameter.integer("group", 1)
    if groups < 1:
        raise wrong(parameter, "group", f"`group` is {groups}, but must be at least 1", "1 where there are no groups")
    return parameter, kernel, groups


def _filters(parameter: Message, channels: int, groups: int) -> int:
    filters = parameter.integer("num_output")
    for what, count in (("channels that it reads", channels), ("outputs", filters)):
        if count % groups:
            message = f"{groups} groups do not divide the {count:,} {what}"
            place = parameter.place_of("group")
            raise SpecError([Diagnostic("NS306", message, place, help=f"`group` must divide {count:,}")])
    if filters < 1:
        raise wrong(parameter, "num_output", f"`num_output` is {filters}, but must be at least 1", "at least 1")
    return filters


def _only_images(reading: Reading, parameter: Message) -> None:
    axis = reading.axis(parameter, "axis")
    if axis != 1:
        raise reading.lost("an InnerProduct of each row, not of the whole image", parameter.place_of("axis"), "axis")


def _output_first(array: Array, *, groups: int) -> Array:
    """(channels, filters of a group, height, width) as (filters, channels of a group, height, width)."""
    channels, filters, *size = array.shape
    apart = array.reshape(groups, channels // groups, filters, *size).swapaxes(1, 2)
    return apart.reshape(groups * filters, channels // groups, *size)


def _transposed(array: Array) -> Array:
    return array.T


LEARNED: Final[Mapping[str, Reader]] = {
    "Convolution": _convolution,
    "Deconvolution": _deconvolution,
    "InnerProduct": _inner_product,
}
