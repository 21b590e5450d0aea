"""Measures of wiring: what reads what, across which devices, and in which order. Sizes are elsewhere."""

from __future__ import annotations

from netspec.ir.graph import TypedNode
from netspec.ir.placed import Compute, Value
from netspec.layers.activation import NeuronLayer
from netspec.layers.pool import Pool
from netspec.layers.rnorm import ResponseNorm
from netspec.ledger.measure import Claims, LayerMeasure, Measure, Scope, absent, measure
from netspec.ledger.net import Net
from netspec.ledger.place import says
from netspec.ledger.value import Item, Missing, Plain, Style

OWN, ALL, SOME, ONE = "own device", "all devices", "parts of other devices", "one device"


@measure
class Reads(LayerMeasure):
    """Whether a layer reads across devices."""

    name = "reads"
    doc = (
        f"What layers read of the layer before: `{OWN}` (only channels that lie on the same device), `{ALL}` (every"
        f" channel of every device), `{SOME}`; `{ONE}` where nothing is split over devices."
    )

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        if len(net.placed.devices) == 1:
            return ONE
        seen = {_reads(net, step) for step in net.placed.computes if step.node == node.name}
        return seen.pop() if len(seen) == 1 else SOME

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        if len(net.placed.devices) == 1:
            return ("the spec places every layer on one device",)
        groups = (says(net, node.name, "groups"),) if hasattr(node.layer, "groups") else ()
        steps = [step for step in net.placed.computes if step.node == node.name]
        lines = tuple(_line(net, step, value) for step in steps for value in step.inputs)
        across = [n.name for n in net.typed.nodes if n.macs and self.of_layer(net, n, Scope()) == ALL]
        others = (f"the layers that read all devices: {', '.join(f'`{n}`' for n in across)}",) if across else ()
        return (*groups, *lines, *others)


def _reads(net: Net, step: Compute) -> str:
    """OWN, ALL or SOME, for one part of a layer; the input is on every device."""
    inputs = [value for value in step.inputs if value.source != net.typed.input.name]
    if all(_holders(net, value) <= {step.output.device} for value in inputs):
        return OWN
    whole = all(value.channels.size == net.typed.shape(value.source).channels for value in inputs)
    return ALL if whole else SOME


def _holders(net: Net, value: Value) -> set[int]:
    """The devices on which the channels of a value are computed."""
    return {part.device for part in net.placed.parts_of(value.source) if part.channels.overlap(value.channels)}


def _line(net: Net, step: Compute, value: Value) -> str:
    channels = f"channels {value.channels.start} to {value.channels.stop - 1} of `{value.source}`"
    reads = f"on gpu {step.output.device} `{step.node}` reads {channels}"
    if value.source == net.typed.input.name:
        return f"{reads}, which is on every device"
    return f"{reads}, from gpu {' and '.join(map(str, sorted(_holders(net, value))))}"


@measure
class Sequence(Measure):
    """The order of operations."""

    name = "sequence"
    doc = (
        "The operations from the first of two layers to the second, both included, each layer's neuron after it, along"
        " first inputs: `conv`, `relu`, `rnorm` (across channels), `rnorm-space` (within a map), `max-pool`, `fc` ..."
    )
    takes = "two"
    style = Style(between=", ")

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        way = _way(net, scope)
        if isinstance(way, Missing):
            return (Item("", way),)
        return tuple(Item("", word) for node in way for word in operations(node))

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        way = _way(net, scope)
        if isinstance(way, Missing):
            return ()
        return ("the way is " + " -> ".join(f"`{node.name}` ({', '.join(operations(node))})" for node in way),)


def operations(node: TypedNode) -> tuple[str, ...]:
    """A layer as words: its own operation, then its neuron."""
    layer = node.layer
    neuron = (layer.neuron.kind,) if layer.neuron else ()
    if isinstance(layer, NeuronLayer):
        return neuron
    if isinstance(layer, Pool):
        return (f"{layer.pool}-pool", *neuron)
    space = isinstance(layer, ResponseNorm) and layer.across == "space"
    return (f"{layer.type}-space" if space else layer.type, *neuron)


def _way(net: Net, scope: Scope) -> list[TypedNode] | Missing:
    """The layers from the first of the scope to the second, in order."""
    start, end = scope.of
    for name in (end, start):
        if name not in net.typed.by_name:
            return absent(net, name)
    way = [net.typed.by_name[end]]
    while way[-1].name != start:
        before = net.typed.by_name.get(way[-1].layer.inputs[0])
        if before is None:
            return Missing(f"`{end}` is not computed from `{start}`")
        way.append(before)
    return way[::-1]


class _OfType(Measure):
    """Layers of one type."""

    takes = "net"
    options = ("type",)

    def names(self, net: Net, scope: Scope) -> tuple[str, ...]:
        return tuple(node.name for node in net.typed.nodes if node.layer.type == scope.type)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        names = self.names(net, scope)
        if not names:
            return (f"the spec has no `{scope.type}` layer",)
        return (f"the `{scope.type}` layers are {', '.join(f'`{name}`' for name in names)}",)


@measure
class Layers(_OfType):
    """The layers of a type."""

    name = "layers"
    doc = "The names of the layers of a `type`, in the order of computation."

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        return tuple(Item("", name) for name in self.names(net, scope))


@measure
class Count(_OfType):
    """How many layers of a type."""

    name = "count"
    doc = "How many layers of a `type` there are."
    numeric = True

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        return (Item("", len(self.names(net, scope))),)


@measure
class LearnedLayers(Measure):
    """How many layers learn."""

    name = "learned_layers"
    doc = "How many layers have weights."
    takes = "net"
    numeric = True

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        return (Item("", len(self._names(net))),)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        return (f"the layers with weights are {', '.join(f'`{name}`' for name in self._names(net))}",)

    def _names(self, net: Net) -> list[str]:
        return [n.name for n in net.typed.nodes if any(p.parameter.role == "weight" for p in n.parameters)]
