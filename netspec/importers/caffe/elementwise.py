"""Caffe's layers over single numbers: neurons, PReLU, Dropout. A neuron that only its layer feeds becomes its key.

Source: the neuron layers of caffe.proto. They change no shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import e, log
from typing import TYPE_CHECKING, Final

from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import Held, Reader, Reading, at, wrong
from netspec.importers.caffe.start import note_decay, rate_keys
from netspec.importers.draft import At, Value

if TYPE_CHECKING:
    from netspec.importers.caffe.reading import Array

_NO_KEY: Final = ("neuron", "softmax")  # layers whose own output is what a next function must read
Words = tuple[str, ...]


def _neuron(words: Callable[[Reading], Words]) -> Reader:
    """A reader of a layer that is neurons, one after the other."""

    def read(reading: Reading) -> tuple[Held, ...]:
        held = reading.input
        for number, word in enumerate(words(reading)):
            held = _apply(reading, held, word, first=number == 0)
        return (held,)

    return read


def _apply(reading: Reading, held: Held, word: str, *, first: bool) -> Held:
    neuron = At(word, reading.place)
    layer = reading.net.draft.layers.get(held.layer)
    alone = not first or not held.shared
    if layer is not None and alone and layer.type not in _NO_KEY and "neuron" not in layer.keys:
        layer.keys["neuron"] = neuron
        return Held(held.layer, held.shape)
    return reading.add("neuron", held.shape, {"neuron": neuron}, reads=(held,))


def _relu(reading: Reading) -> Words:
    slope = reading.parameter("relu_param").number("negative_slope", 0.0)
    return (f"leaky[{slope!r}]",) if slope else ("relu",)


def _elu(reading: Reading) -> Words:
    return (f"elu[{reading.parameter('elu_param').number('alpha', 1.0)!r}]",)


def _power(reading: Reading) -> Words:
    parameter = reading.parameter("power_param")
    power, factor, shift = _line(parameter, "power")
    if power == 1:
        return (f"linear[{factor!r}, {shift!r}]",) if (factor, shift) != (1, 0) else ()
    return ("square",) if (power, factor, shift) == (2, 1, 0) else (f"power[{power!r}, {factor!r}, {shift!r}]",)


def _log(reading: Reading) -> Words:
    """ln(factor x + shift) / ln(base)."""
    parameter = reading.parameter("log_param")
    base, factor, shift = _line(parameter, "base", -1.0)
    if base != -1 and (base <= 0 or base == 1):
        raise wrong(parameter, "base", f"there is no logarithm to base {base:g}", "a base above 0, or -1 for e")
    inner = (f"linear[{factor!r}, 0.0]",) if factor != 1 else ()
    outer = (f"linear[{1 / log(base)!r}, 0.0]",) if base not in (-1, e) else ()
    return (*inner, f"log[{shift!r}]", *outer)


def _clip(reading: Reading) -> Words:
    parameter = reading.parameter("clip_param")
    return (f"clip[{parameter.number('min')!r}, {parameter.number('max')!r}]",)


def _line(parameter: Message, name: str, usual: float = 1.0) -> tuple[float, float, float]:
    return parameter.number(name, usual), parameter.number("scale", 1.0), parameter.number("shift", 0.0)


def _prelu(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("prelu_param")
    shared = parameter.flag("channel_shared", default=False)
    keys: dict[str, Value] = {"shared": at(parameter, "channel_shared", shared)} if shared else {}
    filler = parameter.child("filler")
    if filler.text("type", "constant") == "constant":
        value = filler.number("value", 0.25 if not filler.fields else 0.0)
        keys |= {"init_a": at(filler, "value", value)} if value != 0.25 else {}
    else:
        reading.dropped("filler", "its slopes start at 0.25", filler.place)
    held = reading.add("prelu", reading.input.shape, keys | rate_keys(reading, ("lr_w",)))
    note_decay(reading, 0)
    reading.learns(held, "weight", 0, () if shared else (held.channels,), _flat)
    return (held,)


def _dropout(reading: Reading) -> tuple[Held, ...]:
    parameter = reading.parameter("dropout_param")
    rate = parameter.number("dropout_ratio", 0.5)
    if not 0 <= rate < 1:
        raise wrong(parameter, "dropout_ratio", f"`dropout_ratio` is {rate:g}", "at least 0, and below 1")
    text = f"kept units are divided by {1 - rate:g} in training, and nothing is done at test: `scale: train`"
    reading.meaning("dropout", text)
    keys: dict[str, Value] = {"scale": "train"}
    keys |= {} if rate == 0.5 else {"rate": at(parameter, "dropout_ratio", rate)}
    return (reading.add("dropout", reading.input.shape, keys),)


def _flat(array: Array) -> Array:
    return array.reshape(-1)


ELEMENTWISE: Final[Mapping[str, Reader]] = {
    "AbsVal": _neuron(lambda reading: ("abs",)),
    "BNLL": _neuron(lambda reading: ("softplus",)),
    "Clip": _neuron(_clip),
    "Dropout": _dropout,
    "ELU": _neuron(_elu),
    "Log": _neuron(_log),
    "PReLU": _prelu,
    "Power": _neuron(_power),
    "ReLU": _neuron(_relu),
    "Sigmoid": _neuron(lambda reading: ("logistic",)),
    "TanH": _neuron(lambda reading: ("tanh",)),
}
