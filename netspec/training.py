"""What training is told about a compiled net: its recipe, how pictures become inputs, its source. It trains nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.ir.graph import OwnedParameter, TypedGraph, TypedNode
from netspec.ir.layer import LearnedLayer
from netspec.ir.placed import PlacedGraph
from netspec.passes.place import place_at
from netspec.pipeline import Compiled
from netspec.source import Span
from netspec.spec.model import RateSpec, Spec

if TYPE_CHECKING:
    from netspec_runtime.training.recipe import ParameterRule, PictureRecipe, RateRule, Recipe

_LISTED: Final = 6  # outputs that a message writes out


def training_recipe(compiled: Compiled) -> Recipe:
    """The recipe of `train`, with a rule for each learned tensor in the order of the merged module's state_dict.

    Raises SpecError where nothing is left to learn, or where the first of several outputs is a softmax.
    """
    from netspec_runtime.training.recipe import Recipe

    spec, typed = compiled.spec, compiled.typed
    _require_scores(spec, typed)
    rules = tuple(
        _rule(node, owned, spec)
        for node in typed.nodes
        for owned in node.parameters
        if not owned.tied and owned.parameter.role != "statistic"
    )
    if all(rule.rate == 0 for rule in rules):
        message = "nothing in this net can learn: " + ("each rate is 0" if rules else "no layer has weights")
        raise _refusal(spec.spans.key("layers"), message, "a layer with `lr_w` above 0")
    train = spec.train
    lr = _rate(train.lr)
    lr_b = lr if train.lr_b is None else _rate(train.lr_b)
    return Recipe(train.batch, train.epochs, train.momentum, lr, lr_b, rules, spec.seed)


def picture_recipe(compiled: Compiled) -> PictureRecipe:
    """How prepared pictures become the input, as `data` says. Raises SpecError for an input that is no picture."""
    from netspec_runtime.card import Channels
    from netspec_runtime.training.recipe import PictureRecipe

    spec, data = compiled.spec, compiled.spec.data
    _require_pictures(spec)
    height, width = spec.input.size
    return PictureRecipe(
        prepared=(height, width) if data.resize is None else (data.resize, data.resize),
        crop=(height, width),
        channels=Channels.GREY if spec.input.channels == 1 else Channels(data.channels),
        mirror=data.mirror,
        mean=data.mean,
        std=data.std,
        noise=data.color_pca,
        noise_of=data.color_pca_of,
        test_views=10 if data.test_views == 10 else 1,
    )


def generated_source(compiled: Compiled) -> str:
    """The module that is trained, as `build` writes it, but for a softmax at the end that is split over devices.

    That one is put on one device, as it is outside the loss: so `logits` is what it takes.
    """
    from netspec.backends.torch import emit_module

    return emit_module(compiled.spec, compiled.merged, _with_one_softmax(compiled.placed))


def _with_one_softmax(placed: PlacedGraph) -> PlacedGraph:
    """On a device that keeps the list of devices as it is, where there is one."""
    end = placed.typed.nodes[-1]
    if end.layer.type != "softmax" or len(placed.devices_of[end.name]) == 1:
        return placed
    for device in placed.devices_of[end.name]:
        moved = place_at(placed.typed, {**placed.devices_of, end.name: (device,)})
        if moved.devices == placed.devices:
            return moved
    return placed


def _rule(node: TypedNode, owned: OwnedParameter, spec: Spec) -> ParameterRule:
    """The layer's own rates and decay. Only weights that sum their inputs decay: no biases, scales that rest at 1."""
    from netspec_runtime.training.recipe import ParameterRule

    bias, layer = owned.parameter.role == "bias", node.layer
    decay = 0.0
    if isinstance(layer, LearnedLayer) and not bias:
        decay = spec.train.decay if layer.decay is None else layer.decay
    return ParameterRule(owned.name, bias, layer.rate_of(owned.parameter.role), decay)


def _rate(rate: float | RateSpec) -> RateRule:
    from netspec_runtime.training.recipe import RateRule

    if not isinstance(rate, RateSpec):
        return RateRule(rate)
    return RateRule(
        start=rate.start,
        divide=rate.divide,
        when=rate.when,
        times=rate.times,
        patience=rate.patience,
        curve=rate.curve,
        levels=rate.levels,
    )


def _require_scores(spec: Spec, typed: TypedGraph) -> None:
    """The loss takes scores. The module gives what one last softmax takes, or else its first output."""
    first = typed.outputs[0]
    if len(typed.outputs) > 1 and typed.by_name[first].layer.type == "softmax":
        scores = typed.by_name[first].layer.inputs[0]
        named = (scores, *(output for output in typed.outputs if output != scores))
        order = f"write `outputs: [{', '.join(named)}]`" if len(named) <= _LISTED else f"put `{scores}` first"
        other = f"{order}, or " if scores in typed.by_name else ""
        message = f"of several outputs training learns from the scores of the first, and `{first}` is a softmax"
        raise _refusal(spec.spans.value("outputs"), message, f"{other}let the net end in `{first}` alone")


def _require_pictures(spec: Spec) -> None:
    channels = spec.input.channels
    if channels not in (1, 3):
        message = f"training reads pictures of 1 or 3 channels, and the input has {channels}"
        raise _refusal(spec.spans.value("input", "channels"), message, "`channels: 3`, or train the module by yourself")
    if spec.data.channels == "grey" and channels != 1:
        place = spec.spans.value("data", "channels")
        raise _refusal(place, f"grey pictures have 1 channel, and the input has {channels}", "`rgb` or `bgr`")


def _refusal(place: Span, message: str, help: str) -> SpecError:
    return SpecError([Diagnostic("NS606", message, place, help=help)])
