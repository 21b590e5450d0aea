"""Caffe's layers that put blobs together or in another shape: Concat, Slice, Eltwise, Flatten, Reshape, Crop, Softmax.

Source: caffe.proto; axis 0 is the batch, axis 1 the channels. They hold no weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.diagnostics.grammar import count, sizes
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import Held, Reader, Reading, at, wrong
from netspec.importers.draft import Value

_MAPS, _UNITS = 4, 2  # axes of the blobs that the language has


def _concat(reading: Reading) -> tuple[Held, ...]:
    _along_channels(reading, reading.parameter("concat_param"), "concat_dim")
    if len(reading.inputs) == 1:
        return (reading.input,)
    first = reading.input.shape
    channels = sum(held.channels for held in reading.inputs)
    return (reading.add("concat", (first[0], channels, *first[2:]), {}),)


def _slice(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("slice_param")
    _along_channels(reading, parameter, "slice_dim")
    tops, channels = reading.wired.tops, reading.input.channels
    points = _points(parameter, len(tops), channels)
    made = []
    for top, start, stop in zip(tops, points, points[1:], strict=False):
        shape = (reading.input.shape[0], stop - start, *reading.input.shape[2:])
        whole = (start, stop) == (0, channels)
        made.append(reading.input if whole else _cut(reading, reading.input, shape, start, top.name))
    return tuple(made)


def _cut(reading: Reading, held: Held, shape: tuple[int, ...], start: int, called: str) -> Held:
    """A slice of channels."""
    return reading.add("slice", shape, {"start": start, "channels": shape[1]}, called, (held,))


def _points(parameter: Message, tops: int, channels: int) -> list[int]:
    """Where each of the slices starts, and the end."""
    given = parameter.integers("slice_point")
    points = [0, *given, channels]
    if not given and channels % max(1, tops) == 0:
        return [channels // tops * number for number in range(tops + 1)]
    if len(given) != tops - 1 or sorted(set(points)) != points:
        given_points = count(len(given), "slice point")
        message = f"{given_points} cannot make {count(tops, 'slice')} of {count(channels, 'channel')}"
        raise wrong(parameter, "slice_point", message, "a rising number for each slice but the first")
    return points


def _along_channels(reading: Reading, parameter: Message, old: str) -> None:
    axis = parameter.integer(old) if parameter.has(old) else reading.axis(parameter, "axis")
    if axis != 1:
        place = parameter.place_of(old if parameter.has(old) else "axis")
        raise reading.lost(f"{reading.wired.type} along axis {axis}: the language has channels only", place, "axis")


def _eltwise(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("eltwise_param")
    operation = parameter.word("operation", "SUM")
    types = {"SUM": "eltsum", "PROD": "eltprod", "MAX": "eltmax"}
    if operation not in types:
        raise wrong(parameter, "operation", f"there is no operation {operation}", "SUM, PROD or MAX")
    factors = parameter.numbers("coeff")
    if factors and (operation != "SUM" or len(factors) != len(reading.inputs)):
        message = f"{count(len(factors), 'coefficient')} for {operation} of {count(len(reading.inputs), 'bottom')}"
        raise wrong(parameter, "coeff", message, "one for each bottom, and only for SUM")
    keys: dict[str, Value] = {}
    if any(factor != 1 for factor in factors):
        keys["coefficients"] = at(parameter, "coeff", factors)
    return (reading.add(types[operation], reading.input.shape, keys),)


def _flatten(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("flatten_param")
    axes = len(reading.input.shape)
    start, end = reading.axis(parameter, "axis"), reading.axis(parameter, "end_axis", -1)
    if (start, end) == (1, axes - 1):
        return (_reshaped(reading, (reading.input.shape[0], reading.input.units), parameter),)
    if start == end:
        return (reading.input,)
    text = f"axes {start} to {end} made one: the language has maps and units only"
    raise reading.lost(text, parameter.place, "axis")


def _reshape(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("reshape_param")
    old = reading.input.shape
    start = reading.axis(parameter, "axis", 0)
    span = parameter.integer("num_axes", -1)
    end = len(old) if span == -1 else start + span
    dims = list(parameter.child("shape").integers("dim"))
    shape = [*old[:start], *(_same(parameter, old, start + n, dim) for n, dim in enumerate(dims)), *old[end:]]
    if shape.count(-1) == 1:
        known = -prod(shape)
        shape[shape.index(-1)] = prod(old) // known if known else 0
    if prod(shape) != prod(old) or min(shape, default=0) < 1:
        message = f"{sizes(shape)} is another number of units than {sizes(old)}"
        raise SpecError([Diagnostic("NS808", message, parameter.place_of("shape"), help="as many units, or -1 once")])
    if shape[0] != old[0]:
        raise reading.lost(f"a Reshape of a batch of {old[0]} images into {shape[0]}", parameter.place_of("shape"))
    return (_reshaped(reading, tuple(shape), parameter),)


def _same(parameter: Message, old: tuple[int, ...], place: int, dim: int) -> int:
    """The size that 0 stands for: the input's own."""
    if dim == 0 and place >= len(old):
        raise wrong(parameter, "shape", "0 stands for an axis that the input does not have", "a number")
    return old[place] if dim == 0 else dim


def _reshaped(reading: Reading, shape: tuple[int, ...], parameter: Message) -> Held:
    if shape == reading.input.shape:
        return reading.input
    if len(shape) == _UNITS:
        return reading.add("flatten", shape, {})
    if len(shape) == _MAPS:
        return reading.add("reshape", shape, {"shape": shape[1:]})
    text = f"a blob of {len(shape)} axes: the language has maps (4) and units (2) only"
    raise reading.lost(text, parameter.place, "axis")


def _crop(reading: Reading) -> tuple[Held, ...]:
    """To the size of a second bottom from ``axis`` on, which is known here."""
    parameter = reading.parameter("crop_param")
    if len(reading.inputs) != 2:
        message = f"a Crop has 2 bottoms, found {len(reading.inputs)}"
        raise SpecError([Diagnostic("NS808", message, reading.place, help="the blob, and one of the size wanted")])
    held, like = reading.inputs
    image = reading.maps()
    wanted = reading.maps(like)
    axis = reading.axis(parameter, "axis", 2)
    if axis == 0:
        raise reading.lost("a Crop of the batch", parameter.place_of("axis"), "axis")
    offsets = _offsets(parameter, axis)
    kept = tuple(wanted[n] if n + 1 >= axis else image[n] for n in range(3))
    if any(start + size > whole for start, size, whole in zip(offsets, kept, image, strict=True)):
        message = f"{sizes(kept)} from {sizes(offsets)} on is not inside {sizes(image)}"
        raise SpecError([Diagnostic("NS808", message, parameter.place, help="smaller offsets, or a smaller crop")])
    if kept[0] != image[0]:
        cut = (held.shape[0], kept[0], *image[1:])
        called = f"{reading.wired.name}_channels"
        held = _cut(reading, held, cut, offsets[0], called)
    if kept[1:] != image[1:]:
        keys: dict[str, Value] = {"start": offsets[1:]} if any(offsets[1:]) else {}
        keys["size"] = kept[1:]
        held = reading.add("crop", (held.shape[0], *kept), keys, reads=(held,))
    return (held,)


def _offsets(parameter: Message, axis: int) -> tuple[int, int, int]:
    """Of channels, rows and columns."""
    given, axes = parameter.integers("offset"), _MAPS - axis
    if len(given) not in (0, 1, axes):
        raise wrong(
            parameter, "offset", f"{count(len(given), 'offset')} for {axes} axes", "one for all, or one for each"
        )
    each = given * axes if len(given) == 1 else given or (0,) * axes
    channels, rows, columns = (0,) * (3 - axes) + each
    return channels, rows, columns


def _softmax(reading: Reading) -> tuple[Held, ...]:
    if reading.axis(reading.parameter("softmax_param"), "axis") != 1 or reading.input.pixels != 1:
        raise reading.lost(f"a Softmax at each pixel of {sizes(reading.input.image)} maps", topic="Softmax")
    return (reading.add("softmax", (reading.input.shape[0], reading.input.units), {}),)


ARRANGING: Final[Mapping[str, Reader]] = {
    "Concat": _concat,
    "Crop": _crop,
    "Eltwise": _eltwise,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Slice": _slice,
    "Softmax": _softmax,
}
