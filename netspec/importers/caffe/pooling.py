"""Caffe's Pooling. Sizes round up, and a window that would start in the padding on the far side is dropped.

Source: pooling_layer.cpp: an average divides by the pixels of its window inside the padded image. It reads no weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import Held, Reader, Reading, at, wrong
from netspec.importers.caffe.windows import Kernel, first_place, pair
from netspec.importers.draft import At, Value

_METHODS: Final = {"MAX": "max", "AVE": "avg"}


def _pooling(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("pooling_param")
    channels, *image = reading.maps()
    method = _method(reading, parameter)
    if parameter.flag("global_pooling", default=False):
        held = reading.add("pool", (reading.input.shape[0], channels, 1, 1), {"pool": method, "size": "global"})
        return (held,)
    kernel = Kernel(
        pair(reading, parameter, "kernel_size", "kernel"),
        pair(reading, parameter, "stride", "stride", 1),
        pair(reading, parameter, "pad", "pad", 0),
        (1, 1),
    )
    if any(pad >= size for pad, size in zip(kernel.pad, kernel.size, strict=True)):
        help = "Caffe takes none that is as large as the window"
        raise wrong(parameter, "pad", f"a pad of {max(kernel.pad)} is not smaller than the window", help)
    up = parameter.word("round_mode", "CEIL") == "CEIL"
    for axis in (0, 1):
        _refuse_outside(reading, parameter, kernel, axis, image[axis], up=up)
    sides = [_windows(kernel, axis, image[axis], up=up) for axis in (0, 1)]
    _say_rounding(reading, parameter, kernel, tuple(image), up=up)
    keys: dict[str, Value] = kernel.keys(parameter) | ({} if up else {"round": "floor"})
    if method.value == "avg" and any(kernel.pad):
        keys["count"] = "padded"
        text = "an average divides by the pixels of its window inside the padded image"
        reading.meaning("average", text, parameter.place_of("pad"))
    return (reading.add("pool", (reading.input.shape[0], channels, *sides), {"pool": method, **keys}),)


def _method(reading: Reading, parameter: Message) -> At:
    word = parameter.word("pool", "MAX")
    if word not in _METHODS:
        raise reading.lost(f"the language has no {word.lower()} pooling", parameter.place_of("pool"), "pool")
    extra = set(range(1, len(reading.wired.tops))) - reading.unread
    if extra:
        raise reading.lost("the places of the maxima as a second output", reading.message.place_of("top"), "pool")
    return at(parameter, "pool", _METHODS[word])


def _windows(kernel: Kernel, axis: int, image: int, *, up: bool) -> int:
    room, stride = image + 2 * kernel.pad[axis] - kernel.size[axis], kernel.stride[axis]
    count = (-(-room // stride) if up else room // stride) + 1
    outside = (count - 1) * stride >= image + kernel.pad[axis]
    return max(1, count - outside)


def _refuse_outside(reading: Reading, parameter: Message, kernel: Kernel, axis: int, image: int, *, up: bool) -> None:
    """A window without a pixel: Caffe drops it only where there is padding, and else fills it with -3.4e38 or nan."""
    room = image - kernel.size[axis]
    if up and not any(kernel.pad) and -(-room // kernel.stride[axis]) * kernel.stride[axis] >= image:
        place = parameter.place_of("stride")
        raise reading.lost("the last window lies outside the image, where Caffe gives no number", place, "pool")


def _say_rounding(reading: Reading, parameter: Message, kernel: Kernel, image: tuple[int, ...], *, up: bool) -> None:
    here, other = ([_windows(kernel, a, image[a], up=way) for a in (0, 1)] for way in (up, not up))
    size, otherwise = ("x".join(map(str, sides)) for sides in (here, other))
    way, contrary = ("up", "down") if up else ("down", "up")
    same = f"; {contrary} would be the same" if here == other else f", not {otherwise}"
    place = first_place(parameter, ("kernel_size", "kernel_h", "kernel_w"))
    reading.meaning("rounding", f"the output's size is rounded {way} (Caffe): {size}{same}", place)


POOLING: Final[Mapping[str, Reader]] = {"Pooling": _pooling}
