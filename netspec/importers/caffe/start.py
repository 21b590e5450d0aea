"""How Caffe's layers start and learn: fillers to `init_w` and `init_b`, multipliers to `lr_w`, `lr_b` and `decay`.

Source: caffe.proto's FillerParameter and ParamSpec. Caffe's ``xavier`` is uniform over +-sqrt(3 / n), where n is the
fan-in unless `variance_norm` says otherwise: not Glorot and Bengio's sqrt(6 / (fan-in + fan-out)). It fills nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import Reading, at, wrong
from netspec.importers.draft import At, Plain, Value

_PLAIN: Final = 1.0
_NO_FILLER: Final = (
    "without a `weight_filler` Caffe starts weights at 0 and wants them from a file; here they start as by default"
)
_XAVIER: Final = (
    "Caffe's xavier is written `uniform[sqrt(3 / n)]`, n the inputs of an output: netspec's `xavier` counts outputs too"
)


@dataclass(frozen=True)
class Fans:
    """How many inputs feed one output, and how many outputs one input feeds, as Caffe counts: of the blob's shape."""

    into: int
    out: int

    def chosen(self, filler: Message) -> float:
        by_norm = {"FAN_IN": self.into, "FAN_OUT": self.out, "AVERAGE": (self.into + self.out) / 2}
        norm = filler.word("variance_norm", "FAN_IN")
        if norm not in by_norm:
            raise wrong(filler, "variance_norm", f"there is no `variance_norm: {norm}`", "FAN_IN, FAN_OUT or AVERAGE")
        return by_norm[norm]


def learning(reading: Reading, parameter: Message, fans: Fans, *, bias: bool = True) -> dict[str, Value]:
    """What the language says of a layer's weights and biases beside their sizes: keys that are not at their default."""
    keys = _weights_start(reading, parameter, fans)
    if not bias:
        keys["bias"] = False
    else:
        keys |= _bias_start(reading, parameter)
        note_decay(reading, 1)
    return keys | rate_keys(reading, ("lr_w", "lr_b")[: 1 + bias]) | _decay(reading)


def _weights_start(reading: Reading, parameter: Message, fans: Fans) -> dict[str, Value]:
    """`init_w` of a `weight_filler`. Without one, weights are expected in a file: Caffe's zeros would never learn."""
    if not parameter.has("weight_filler"):
        reading.say_once("filler", _NO_FILLER, parameter.place)
        return {}
    filler = parameter.child("weight_filler")
    kind = filler.text("type", "constant")
    if kind not in _FILLERS:
        text = f"weights that start by the filler `{kind[:40]}` start by netspec's default, normal of 0.01"
        reading.dropped("filler", text, filler.place_of("type"))
        return {}
    return {"init_w": At(_FILLERS[kind](_Filler(reading, filler, fans)), parameter.place_of("weight_filler"))}


@dataclass(frozen=True)
class _Filler:
    """A filler, of weights with these fans."""

    reading: Reading
    message: Message
    fans: Fans

    def number(self, name: str, usual: float) -> float:
        return self.message.number(name, usual)

    def chosen_fan(self) -> float:
        return self.fans.chosen(self.message)

    def dropped(self, text: str, name: str) -> None:
        self.reading.dropped("filler", text, self.message.place_of(name))


def _constant(filler: _Filler) -> Plain:
    return f"constant[{filler.number('value', 0.0)!r}]"


def _gaussian(filler: _Filler) -> Plain:
    for name, usual in (("mean", 0.0), ("sparse", -1)):
        if filler.number(name, usual) != usual:
            filler.dropped(f"`{name}` of the gaussian filler is left out", name)
    return f"normal[{filler.number('std', 1.0)!r}]"


def _uniform(filler: _Filler) -> Plain:
    low, high = filler.number("min", 0.0), filler.number("max", 1.0)
    bound = max(abs(low), abs(high))
    if low != -high:
        filler.dropped(f"weights that start from {low:g} to {high:g} start from {-bound:g} to {bound:g}", "type")
    return f"uniform[{bound!r}]"


def _xavier(filler: _Filler) -> Plain:
    bound = sqrt(3 / filler.chosen_fan())
    filler.reading.say_once("xavier", _XAVIER, filler.message.place_of("type"))
    return f"uniform[{bound!r}]"


def _msra(filler: _Filler) -> Plain:
    count = filler.chosen_fan()
    return "he" if count == filler.fans.into else f"normal[{sqrt(2 / count)!r}]"


_FILLERS: Final[Mapping[str, Callable[[_Filler], Plain]]] = {
    "bilinear": lambda filler: "bilinear",
    "constant": _constant,
    "gaussian": _gaussian,
    "msra": _msra,
    "uniform": _uniform,
    "xavier": _xavier,
}


def _bias_start(reading: Reading, parameter: Message) -> dict[str, Value]:
    filler = parameter.child("bias_filler")
    kind = filler.text("type", "constant")
    if kind != "constant":
        text = f"biases that start by the filler `{kind[:40]}` start at 0"
        reading.dropped("filler", text, filler.place_of("type"))
        return {}
    value = filler.number("value", 0.0)
    return {"init_b": at(filler, "value", value)} if value else {}


def rate_keys(reading: Reading, names: Sequence[str]) -> dict[str, Value]:
    """Keys such as `lr_w` of the `lr_mult` of a layer's first parameters, where they are not 1."""
    specs = zip(reading.message.children("param"), names, strict=False)
    rates = {name: (spec, spec.number("lr_mult", _PLAIN)) for spec, name in specs}
    return {name: at(spec, "lr_mult", rate) for name, (spec, rate) in rates.items() if rate != _PLAIN}


def note_decay(reading: Reading, number: int) -> None:
    """Remember a layer whose parameter ``number`` decays in Caffe and never does here."""
    specs = reading.message.children("param")[number : number + 1]
    if all(spec.number("decay_mult", _PLAIN) and spec.number("lr_mult", _PLAIN) for spec in specs):
        reading.net.decaying.append(reading.wired.name)


def _decay(reading: Reading) -> dict[str, Value]:
    """`decay` of the `decay_mult` of the weights."""
    for spec in reading.message.children("param")[:1]:
        factor, decay = spec.number("decay_mult", _PLAIN), reading.net.decay
        if factor == _PLAIN:
            return {}
        if factor and reading.net.decay_assumed:
            text = f"`decay_mult` multiplies a decay of {decay:g}: no solver says another"
            reading.say_once("decay", text, spec.place_of("decay_mult"))
        return {"decay": at(spec, "decay_mult", factor * decay)}
    return {}
