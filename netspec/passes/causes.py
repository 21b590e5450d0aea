"""Why a value has its shape: the layers on the way that made it so, nearest first. Sentences, no rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netspec.diagnostics.grammar import a
from netspec.ir.graph import Input, TypedNode
from netspec.ir.layer import ChannelwiseLayer
from netspec.ir.reasons import size_reasons
from netspec.ir.shape import Maps

LONGEST_CHAIN = 7
Nodes = Mapping[str, TypedNode]


def causes(code: str, names: Sequence[str], nodes: Nodes, net_input: Input) -> tuple[str, ...]:
    """What to say after ``because`` about the values that an error of this code blames."""
    chain = {"NS305": _flat, "NS306": _channels, "NS319": _channels}.get(code, _sizes)
    found = list(dict.fromkeys(note for name in names for note in chain(name, nodes, net_input)))
    if chain is _sizes and names and all(isinstance(node.shape, Maps) for name in names for node in _way(name, nodes)):
        found.append(f"the input `{net_input.name}` is {net_input.shape}")
    return tuple(found if len(found) <= LONGEST_CHAIN else [*found[: LONGEST_CHAIN - 1], "…", found[-1]])


def _sizes(name: str, nodes: Nodes, _: Input) -> Iterator[str]:
    """Each layer that changes the height or the width, with its arithmetic."""
    reasons = size_reasons(nodes, name)
    if name in nodes and not any(reason.startswith(f"`{name}` ") for reason in reasons):
        kept = f", as high and wide as `{nodes[name].layer.inputs[0]}`" if _keeps(nodes[name]) else ""
        yield f"`{name}` is {nodes[name].shape}{kept}"
    yield from reasons


def _keeps(node: TypedNode) -> bool:
    return node.shape.dims[1:] == node.input_shapes[0].dims[1:]


def _channels(name: str, nodes: Nodes, net_input: Input) -> Iterator[str]:
    """The layers that hand the channels on, and the one that makes them."""
    for node in _way(name, nodes):
        if not isinstance(node.layer, ChannelwiseLayer):
            yield f"`{node.name}` is {a(node.layer.type)} layer with {node.shape.channels:,} output channels"
            return
        yield f"`{node.name}` has the channels of `{node.layer.inputs[0]}`"
    yield f"the input `{net_input.name}` has {net_input.shape.channels} channels"


def _flat(name: str, nodes: Nodes, _: Input) -> Iterator[str]:
    """The layers that hand a flat value on, and the one that flattens."""
    for node in _way(name, nodes):
        if not isinstance(node.layer, ChannelwiseLayer):
            yield f"`{node.name}` is {a(node.layer.type)} layer, whose output is flat"
            return
        yield f"`{node.name}` keeps the shape of `{node.layer.inputs[0]}`"


def _way(name: str, nodes: Nodes) -> Iterator[TypedNode]:
    """From a layer back along first inputs."""
    while name in nodes:
        yield nodes[name]
        name = nodes[name].layer.inputs[0]
