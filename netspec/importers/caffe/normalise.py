"""Caffe's normalisations and what follows them: LRN, BatchNorm, Scale, Bias. Their weights are read elsewhere.

Source: lrn_layer.cpp: across channels (k + alpha / n sum)^beta; within one, (1 + alpha / n^2 sum)^beta whatever k is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import Held, Reader, Reading, at, wrong
from netspec.importers.caffe.start import note_decay, rate_keys
from netspec.importers.draft import Value

if TYPE_CHECKING:
    from netspec.importers.caffe.reading import Array


def _response_norm(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("lrn_param")
    reading.maps()
    size, k = parameter.integer("local_size", 5), parameter.number("k", 1.0)
    alpha, beta = parameter.number("alpha", 1.0), parameter.number("beta", 0.75)
    if size % 2 == 0 or size < 1:
        raise wrong(parameter, "local_size", f"`local_size` is {size}", "Caffe takes odd sizes only")
    within = parameter.word("norm_region", "ACROSS_CHANNELS") == "WITHIN_CHANNEL"
    if within and k != 1:
        reading.dropped("k", f"Caffe ignores `k: {k:g}` within channels: it is 1", parameter.place_of("k"))
    k = 1.0 if within else k
    if not parameter.has("k"):
        reading.meaning("k", "k is 1 where the file does not say it (the paper's is 2)", parameter.place)
    count = size**2 if within else size
    text = f"alpha is over the {count} neighbours: {alpha:g} / {count} = {alpha / count:g} of each square"
    reading.meaning("alpha", text, parameter.place_of("alpha"))
    keys: dict[str, Value] = {"size": at(parameter, "local_size", size), "alpha": at(parameter, "alpha", alpha)}
    keys |= {} if k == 1 else {"k": at(parameter, "k", k)}
    keys |= {} if beta == 0.75 else {"beta": at(parameter, "beta", beta)}
    keys |= {"across": "space"} if within else {}
    return (reading.add("rnorm", reading.input.shape, keys),)


def _batch_norm(reading: Reading) -> tuple[Held, ...]:
    """Statistics alone; a Scale that follows gives it factors and addends."""
    parameter = reading.parameter("batch_norm_param")
    if parameter.has("use_global_stats") and not parameter.flag("use_global_stats"):
        text = "at test it takes running statistics, where the file asks for those of the batch"
        reading.meaning("statistics", text, parameter.place_of("use_global_stats"))
    eps, fraction = parameter.number("eps", 1e-5), parameter.number("moving_average_fraction", 0.999)
    keys: dict[str, Value] = {
        "affine": False,
        "momentum": at(parameter, "moving_average_fraction", round(1 - fraction, 9)),
    }
    if eps != 1e-5:
        keys["eps"] = at(parameter, "eps", eps)
    text = f"a moving average that keeps {fraction:g} is a momentum of {1 - fraction:g} here"
    reading.meaning("momentum", text, parameter.place_of("moving_average_fraction"))
    held = reading.add("batchnorm", reading.input.shape, keys)
    each = ((held.channels,), (1,))
    reading.learns_of(held, "running_mean", (0, 2), each, _averaged)
    reading.learns_of(held, "running_var", (1, 2), each, _averaged)
    return (held,)


def _scale(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("scale_param")
    if len(reading.inputs) > 1:
        return (_of_two(reading, parameter, "eltprod"),)
    _check_axis(reading, parameter)
    _say_filler(reading, parameter.child("filler"), 1.0)
    bias = parameter.flag("bias_term", default=False)
    if bias:
        _say_filler(reading, parameter.child("bias_filler"), 0.0)
    rates = rate_keys(reading, ("lr_w", "lr_b")[: 1 + bias])
    if bias and not rates and _follows_norm(reading):  # a batchnorm has no rates of its own
        held = reading.input
        del reading.net.draft.layers[held.layer].keys["affine"]
    else:
        keys: dict[str, Value] = {} if bias else {"bias": False}
        held = reading.add("affine", reading.input.shape, keys | rates)
    if bias:
        reading.learns(held, "bias", 1, (held.channels,))
    reading.learns(held, "weight", 0, (held.channels,))
    note_decay(reading, 0)
    return (held,)


def _bias(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("bias_param")
    if len(reading.inputs) > 1:
        return (_of_two(reading, parameter, "eltsum"),)
    _check_axis(reading, parameter)
    _say_filler(reading, parameter.child("filler"), 0.0)
    held = reading.add("affine", reading.input.shape, {"scale": False, **rate_keys(reading, ("lr_b",))})
    reading.learns(held, "bias", 0, (held.channels,))
    note_decay(reading, 0)
    return (held,)


def _follows_norm(reading: Reading) -> bool:
    """Whether the blob is that of a BatchNorm which only this layer reads."""
    norm = reading.net.draft.layers.get(reading.input.layer)
    plain = norm is not None and norm.type == "batchnorm" and norm.keys.get("affine") is False
    return norm is not None and plain and not reading.input.shared and "neuron" not in norm.keys


def _of_two(reading: Reading, parameter: Message, type: str) -> Held:
    first, second = reading.inputs[:2]
    if first.image != second.image:
        text = f"{reading.wired.type} of a blob by a smaller one"
        raise reading.lost(text, reading.message.place_of("bottom"))
    if parameter.flag("bias_term", default=False):
        raise reading.lost("a Scale of two blobs with a bias", parameter.place_of("bias_term"))
    return reading.add(type, first.shape, {})


def _check_axis(reading: Reading, parameter: Message) -> None:
    if reading.axis(parameter, "axis") != 1 or parameter.integer("num_axes", 1) != 1:
        text = f"{reading.wired.type} with more than one number a channel"
        place = parameter.place_of("axis" if parameter.has("axis") else "num_axes")
        raise reading.lost(text, place, "axis")


def _say_filler(reading: Reading, filler: Message, usual: float) -> None:
    kind = filler.text("type", "constant")
    if filler.fields and (kind != "constant" or filler.number("value", 0.0) != usual):
        text = f"its numbers start at {usual:g}"
        reading.dropped("filler", text, filler.place)


def _averaged(total: Array, factor: Array) -> Array:
    """Caffe keeps sums and the weight that they add up to."""
    weight = float(factor.reshape(-1)[0])
    return total / weight if weight else total * 0


NORMALISATIONS: Final[Mapping[str, Reader]] = {
    "BatchNorm": _batch_norm,
    "Bias": _bias,
    "LRN": _response_norm,
    "Scale": _scale,
}
