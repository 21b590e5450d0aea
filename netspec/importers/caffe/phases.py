"""Which layers of a net stand in a phase, stage and level (Caffe's NetStateRule). It reads no parameters of layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.message import Message

Sources = Mapping[str, tuple[Message, ...]]
MOST_LAYERS: Final = 5000  # of Caffe's, several of which are often one of the language, which takes 1,000
_ENDING: Final = "SoftmaxWithLoss"
_DROPOUT: Final = "Dropout"
SOURCES: Final = frozenset({"Data", "DummyData", "HDF5Data", "ImageData", "Input", "MemoryData", "WindowData"})


@dataclass(frozen=True)
class State:
    """What a net is run as: ``TRAIN`` or ``TEST``, with a level and stages."""

    phase: str
    level: int = 0
    stages: frozenset[str] = frozenset()


def state_of(net: Message, phase: str) -> State:
    """The state that a NetParameter asks for, in another phase if it names one."""
    state = net.child("state")
    return State(phase, state.integer("level", 0), frozenset(state.texts("stage")))


def stands(layer: Message, state: State) -> bool:
    """Whether the layer is part of the net in that state. Raises SpecError NS808 where it has rules of both kinds."""
    include, exclude = layer.children("include"), layer.children("exclude")
    if include and exclude:
        message = "a layer has `include` or `exclude` rules, not both"
        help = "keep the rules of one kind: Caffe takes no other"
        raise SpecError([Diagnostic("NS808", message, layer.place_of("exclude"), help=help)])
    return _any_fits(include, state) if include else not _any_fits(exclude, state)


def _any_fits(rules: Iterable[Message], state: State) -> bool:
    return any(_fits(rule, state) for rule in rules)


def _fits(rule: Message, state: State) -> bool:
    phase = rule.word("phase", state.phase)
    lowest, highest = rule.integer("min_level", state.level), rule.integer("max_level", state.level)
    return (
        phase == state.phase
        and lowest <= state.level <= highest
        and state.stages.issuperset(rule.texts("stage"))
        and state.stages.isdisjoint(rule.texts("not_stage"))
    )


@dataclass(frozen=True)
class Chosen:
    """The layers that an import takes, in their order, and the data layers that make each blob, training's first."""

    layers: tuple[Message, ...]
    sources: Sources


def choose(net: Message) -> Chosen:
    """The layers of phase TEST, and data layers of TRAIN where TEST has none that makes the same blob.

    Of TRAIN also the cost that ends in a softmax, where TEST has none: it says where the net ends; and dropouts in
    place, which change nothing at test.

    Raises SpecError NS111 for more layers than any net of the language is made of.
    """
    test, train = state_of(net, "TEST"), state_of(net, "TRAIN")
    layers = net.children("layer")
    if len(layers) > MOST_LAYERS:
        message = f"more than {MOST_LAYERS:,} layers"
        raise SpecError(
            [Diagnostic("NS111", message, layers[MOST_LAYERS].place, help="a net of this size is not read")]
        )
    used = [layer for layer in layers if stands(layer, test)]
    training = [layer for layer in layers if layer.word("type", "") in SOURCES and stands(layer, train)]
    testing = [layer for layer in used if layer.word("type", "") in SOURCES]
    sources: dict[str, tuple[Message, ...]] = {}
    both = {id(layer) for layer in training}
    for layer in (*training, *(layer for layer in testing if id(layer) not in both)):
        for top in layer.texts("top"):
            sources[top] = (*sources.get(top, ()), layer)
    made = {top for layer in testing for top in layer.texts("top")}
    added = [layer for layer in training if made.isdisjoint(layer.texts("top"))]
    taken = {id(layer) for layer in (*used, *added)}
    made = {top for layer in (*used, *added) for top in layer.texts("top")}
    more = [layer for layer in _of_training(layers, used) if stands(layer, train)]
    taken.update(id(layer) for layer in more if made.issuperset(layer.texts("bottom")))
    return Chosen(tuple(layer for layer in layers if id(layer) in taken), sources)


def _of_training(layers: Iterable[Message], used: Iterable[Message]) -> list[Message]:
    """Costs that end in a softmax, and dropouts in place, where those in use have none."""
    types = {layer.word("type", "") for layer in used}
    dropped = {top for layer in used if layer.word("type", "") == _DROPOUT for top in layer.texts("top")}
    return [
        layer
        for layer in layers
        if (layer.word("type", "") == _ENDING and _ENDING not in types)
        or (layer.word("type", "") == _DROPOUT and _in_place(layer) and dropped.isdisjoint(layer.texts("top")))
    ]


def _in_place(layer: Message) -> bool:
    return layer.texts("bottom") == layer.texts("top")
