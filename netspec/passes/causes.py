"""Why a value has its shape: the layers on the way that made it so, nearest first. Sentences, no rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netspec.diagnostics.grammar import a
from netspec.ir.graph import Input, TypedNode
from netspec.ir.layer import ChannelwiseLayer
from netspec.ir.reasons import size_reasons
from netspec.ir.shape import Maps

LONGEST_CHAIN = 7
Nodes = Mapping[str, TypedNode]


def causes(code: str, name: str, nodes: Nodes, net_input: Input) -> tuple[str, ...]:
    """What to say after ``because`` about the value ``name`` that an error of this code blames."""
    chain = {"NS305": _flat, "NS306": _channels}.get(code, _sizes)
    found = list(chain(name, nodes, net_input))
    return tuple(found if len(found) <= LONGEST_CHAIN else [*found[: LONGEST_CHAIN - 1], "…", found[-1]])


def _sizes(name: str, nodes: Nodes, net_input: Input) -> Iterator[str]:
    """Each layer that changes the height or the width, with its arithmetic, down to the input."""
    reasons = size_reasons(nodes, name)
    if name in nodes and not any(reason.startswith(f"`{name}` ") for reason in reasons):
        yield f"`{name}` is {nodes[name].shape}"
    yield from reasons
    if all(isinstance(node.shape, Maps) for node in _way(name, nodes)):
        yield f"the input `{net_input.name}` is {net_input.shape}"


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
