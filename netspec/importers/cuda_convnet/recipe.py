"""The rates of all layers to `train` and a factor for each layer. It reads no file.

The language has one schedule for weights and one for biases: the commonest are taken, and what differs is remarked on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from netspec.diagnostics.grammar import listed
from netspec.importers.cuda_convnet.rates import LayerRates
from netspec.importers.cuda_convnet.schedules import Rate, Schedule, Shape
from netspec.importers.draft import At, Draft, LayerDraft, Value
from netspec.importers.remark import Remarks

T = TypeVar("T")

_BATCH = 128  # the default of `--mini`
_DIGITS = 12  # a factor is a quotient of two decimals
_WITH_RATES = ("conv", "local", "fc")


@dataclass(frozen=True)
class _Train:
    """What most layers have. A rate is None where all are 0."""

    weights: Rate | None
    biases: Rate | None
    momentum: float
    decay: float

    @property
    def lr(self) -> Rate | None:
        return self.weights or self.biases

    @property
    def lr_b(self) -> Rate | None:
        return self.biases or self.weights


def write_recipe(draft: Draft, rates: Mapping[str, LayerRates], remarks: Remarks) -> None:
    """Write `train`, and to each layer named in ``rates`` what differs from it."""
    if not rates:
        return
    layers = tuple(rates.values())
    train = _Train(
        _reference(_of_weights(layer) for layer in layers if layer.weights),
        _reference(layer.biases for layer in layers),
        _commonest(momentum for layer in layers for momentum in (*layer.momenta, layer.bias_momentum)),
        _commonest(_commonest(layer.decays) for layer in layers if layer.decays),
    )
    draft.keys["train"] = At(_written(train), layers[0].section.place)
    _note_run(train, layers[0], remarks)
    _note_periods(layers, remarks)
    for name, layer in rates.items():
        if name in draft.layers and draft.layers[name].type in _WITH_RATES:
            _write_layer(draft.layers[name], layer, train)
        _note_differences(layer, train, remarks)


def _written(train: _Train) -> dict[str, Value]:
    keys: dict[str, Value] = {"batch": _BATCH, "momentum": train.momentum, "decay": train.decay}
    if train.lr is not None:
        keys["lr"] = _rate(train.lr)
    if train.lr_b is not None and train.lr_b != train.lr:
        keys["lr_b"] = _rate(train.lr_b)
    return keys


def _rate(rate: Rate) -> Value:
    shape = rate.schedule.shape
    if shape.curve == "const":
        return rate.base
    levels: dict[str, Value] = {"levels": shape.levels} if shape.levels else {}
    return {"start": rate.base, "divide": shape.divide, "curve": shape.curve, **levels}


def _write_layer(draft: LayerDraft, layer: LayerRates, train: _Train) -> None:
    lr_b = _factor(layer.biases, train.lr_b)
    if layer.weights and (lr_w := _factor(_of_weights(layer), train.lr)) != 1:
        draft.keys["lr_w"] = At(lr_w, layer.place("epsW"))
    if lr_b != 1:
        draft.keys["lr_b"] = At(lr_b, layer.place("epsB"))
    if layer.decays and (decay := _commonest(layer.decays)) != train.decay:
        draft.keys["decay"] = At(decay, layer.place("wc"))


def _factor(rate: Rate, reference: Rate | None) -> float:
    return float(f"{rate.base / reference.base:.{_DIGITS}g}") if reference else 0.0


def _note_run(train: _Train, first: LayerRates, remarks: Remarks) -> None:
    place = first.place("epsW", "epsB")
    text = "the files do not say how many epochs there were: `train.epochs` is netspec's default, and `train.batch`"
    text += f" cuda-convnet's, {_BATCH}"
    remarks.meaning("epochs", text, first.section.place)
    if train.lr is None:
        text = "every rate is 0: so is every layer's `lr_w` and `lr_b`, and `train.lr` is netspec's default"
        remarks.meaning("rates", text, place)
    elif {train.lr.schedule, train.lr_b and train.lr_b.schedule} == {Schedule()}:
        text = "the rates are those of the file; where they were lowered by hand during the run, it holds the last"
        remarks.meaning("rates", text, place)


def _note_periods(layers: tuple[LayerRates, ...], remarks: Remarks) -> None:
    """A pass is a part of a minibatch where layers have replicas; without them 0 and 1 are the same."""
    often = {layer.period for layer in layers}
    if often <= {0} or often == {1}:
        return
    for layer in layers:
        if layer.period:
            passes = "every pass" if layer.period == 1 else f"every {layer.period} passes"
            text = f"its weights change after {passes} over a part of the minibatch there, each step here"
            remarks.dropped("updatePeriod", text, layer.place("updatePeriod"), layer.section.name)


def _note_differences(layer: LayerRates, train: _Train, remarks: Remarks) -> None:
    """What one layer has and one `train` for all cannot say."""
    for topic, text, options in (*_schedule_differences(layer, train), *_other_differences(layer, train)):
        remarks.dropped(topic, text, layer.place(*options), layer.section.name)


_Difference = tuple[str, str, tuple[str, ...]]


def _schedule_differences(layer: LayerRates, train: _Train) -> Iterable[_Difference]:
    weights = _of_weights(layer) if layer.weights else Rate(0.0)
    sides = (
        ("weights", "lr", weights, train.lr, ("schedW", "sched", "epsW")),
        ("biases", "lr_b" if train.lr_b != train.lr else "lr", layer.biases, train.lr_b, ("schedB", "sched", "epsB")),
    )
    for what, key, rate, reference, options in sides:
        shape = rate.schedule.shape
        if rate.base and reference and shape != reference.schedule.shape:
            yield (
                "schedule",
                f"the rate of the {what} {_said(shape)} there, and falls as `train.{key}` does here",
                options,
            )
        if rate.base and rate.schedule.noise:
            text = f"the rate of the {what} has noise of standard deviation {rate.schedule.noise:g} there, none here"
            yield "noise", text, options


def _other_differences(layer: LayerRates, train: _Train) -> Iterable[_Difference]:
    if len(set(layer.weights)) > 1:
        bases = [f"{rate.base:g}" for rate in layer.weights]
        text = f"its inputs' weights have rates of their own, {listed(bases)}; here all have the largest"
        yield "rates", text, ("epsW",)
    if len(set(layer.decays)) > 1:
        decays = [f"{decay:g}" for decay in layer.decays]
        text = f"its inputs' weights have decays of their own, {listed(decays)}; here all have the commonest"
        yield "decay", text, ("wc",)
    for what, momenta, option in (("weights", layer.momenta, "momW"), ("biases", (layer.bias_momentum,), "momB")):
        own = [f"{momentum:g}" for momentum in dict.fromkeys(momenta) if momentum != train.momentum]
        if own:
            text = f"the momentum of its {what} is {listed(own)} there, that of all layers, {train.momentum:g}, here"
            yield "momentum", text, (option,)


def _said(shape: Shape) -> str:
    if shape.curve == "const":
        return "does not fall"
    levels = f" in {shape.levels} levels" if shape.levels else ""
    return f"falls to 1/{shape.divide:g} by `{shape.curve}`{levels}"


def _of_weights(layer: LayerRates) -> Rate:
    """The rate of a layer's weights; where its inputs differ, the largest."""
    return max(layer.weights, key=lambda rate: rate.base)


def _reference(rates: Iterable[Rate]) -> Rate | None:
    """The commonest start of those rates above 0 that fall in the commonest way."""
    learning = [rate for rate in rates if rate.base > 0]
    if not learning:
        return None
    shape = _commonest(rate.schedule.shape for rate in learning)
    return Rate(_commonest(rate.base for rate in learning if rate.schedule.shape == shape), Schedule(shape))


def _commonest(values: Iterable[T]) -> T:
    """The first of those that are there most often."""
    return Counter(values).most_common(1)[0][0]
