"""Where a net ends: costs are taken off, and what only they need. It decides nothing about the layers that stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.diagnostics.grammar import listed
from netspec.importers.caffe.phases import SOURCES
from netspec.importers.caffe.wiring import Activation, Wired
from netspec.importers.remark import Remarks
from netspec.source import Span

_LOSSES: Final = frozenset(
    {
        "ContrastiveLoss",
        "EuclideanLoss",
        "HingeLoss",
        "InfogainLoss",
        "MultinomialLogisticLoss",
        "SigmoidCrossEntropyLoss",
        "SoftmaxWithLoss",
    }
)
_LISTED: Final = 7  # layers in a remark
COSTS: Final = _LOSSES | {"Accuracy", "HDF5Output", "Silence"}


@dataclass(frozen=True)
class Ends:
    """What the net returns, the main one first, the layers that it takes, in their order, and the costs that it had.

    ``costs`` are those of the largest weight, the main one first.
    """

    outputs: tuple[Activation, ...]
    layers: tuple[Wired, ...]
    costs: tuple[Wired, ...] = ()


def find_ends(layers: Sequence[Wired], place: Span, remarks: Remarks) -> Ends:
    """Without costs, and without layers that only costs of less weight than the largest need.

    The main cost is the last of those of the largest weight. Raises SpecError NS804 where no layer is left.
    """
    costs = [layer for layer in layers if layer.type in _LOSSES]
    body = [layer for layer in layers if layer.type not in COSTS]
    most = max(map(_weight, costs), default=0.0)
    main = tuple(layer for layer in reversed(costs) if _weight(layer) == most)
    ends = _outputs(layers, body, main, costs)
    if not ends:
        raise SpecError([Diagnostic("NS804", "there are no layers but data and costs", place, help="add a layer")])
    kept = _upstream(body, ends)
    needed = set(kept)
    rest = [layer for layer in body if layer not in needed and layer.type not in SOURCES]
    for layer in layers:
        if layer.type in COSTS:
            _say(layer, main, _upstream(rest, layer.bottoms), remarks)
    return Ends(ends, kept, main)


def _weight(cost: Wired) -> float:
    weights = cost.message.numbers("loss_weight")
    return weights[0] if weights else 1.0


def _predictions(cost: Wired) -> tuple[Activation, ...]:
    """What of a cost's inputs the net computes; the next is the truth."""
    return cost.bottoms[: 2 if cost.type == "ContrastiveLoss" else 1]


def _outputs(
    layers: Sequence[Wired], body: Sequence[Wired], main: Sequence[Wired], costs: Sequence[Wired]
) -> tuple[Activation, ...]:
    read = {bottom for layer in body for bottom in layer.bottoms}
    makers = [layer for layer in body if layer.type not in SOURCES]
    ends = [top for layer in makers for top in _results(layer) if top not in read]
    first = _judged(body, main[:1])
    silent = {bottom for layer in layers if layer.type == "Silence" for bottom in layer.bottoms}
    kept = _judged(body, main)
    judged = {bottom for cost in costs for bottom in _predictions(cost)}.difference(kept)
    truths = {bottom for cost in costs for bottom in cost.bottoms}.difference(judged, kept)
    for unwanted in (silent | judged | truths, silent | truths, judged | truths, truths, set[Activation]()):
        if chosen := [end for end in ends if end not in unwanted]:
            return tuple(sorted(chosen, key=lambda end: end not in first))
    return ()


def _judged(body: Sequence[Wired], costs: Sequence[Wired]) -> set[Activation]:
    """What costs judge, and a softmax of it."""
    found = {bottom for cost in costs for bottom in _predictions(cost)}
    found.update(
        top for layer in body if layer.type == "Softmax" and found.intersection(layer.bottoms) for top in layer.tops
    )
    return found


def _results(layer: Wired) -> tuple[Activation, ...]:
    """Its tops; a second one of Pooling, the places of maxima, is for other layers only."""
    return layer.tops[:1] if layer.type == "Pooling" else layer.tops


def _upstream(layers: Sequence[Wired], ends: Iterable[Activation]) -> tuple[Wired, ...]:
    """The layers that the ends take."""
    wanted, kept = set(ends), []
    for layer in reversed(layers):
        if not wanted.isdisjoint(layer.tops):
            wanted.update(layer.bottoms)
            kept.append(layer)
    return tuple(reversed(kept))


def _say(layer: Wired, main: Sequence[Wired], own: Sequence[Wired], remarks: Remarks) -> None:
    """A remark on a layer that is left out, and on those that only it needs."""
    if layer in main:
        returned = "" if layer.type == "SoftmaxWithLoss" else ": the net returns what it reads"
        text = f"the cost {layer.type} is left out{returned}"
        if layer.type == "SigmoidCrossEntropyLoss":
            text += ", before the logistic that is part of this cost"
    elif layer.type in _LOSSES:
        text = f"the cost {layer.type} of weight {_weight(layer):g} is left out"
        names = [f"`{layer.name}`" for layer in own]
        text += f", with the layers that only it needs: {listed(names, _LISTED)}" if own else ""
    else:
        text = f"{layer.type} is left out: it computes no output"
    remarks.dropped("cost" if layer.type in _LOSSES else "no output", text, layer.place, layer.name)
