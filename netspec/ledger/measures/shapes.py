"""Measures of form: what shape a layer's output or kernel has. Counts are elsewhere."""

from __future__ import annotations

from netspec.ir.graph import TypedNode
from netspec.ir.shape import Maps
from netspec.ledger.measure import Claims, LayerMeasure, Measure, Scope, measure
from netspec.ledger.net import Net
from netspec.ledger.place import channels_from, says, why_shape
from netspec.ledger.value import Item, Missing, Plain


@measure
class ShapeOf(LayerMeasure):
    """The shape of an output."""

    name = "shape"
    doc = "The output of layers, `96x55x55` (channels, height, width) or `4096`; with `device`, the part there."
    options = ("device",)

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        if scope.device is None:
            return str(node.shape)
        parts = net.placed.parts_of(node.name)
        there = [value.shape for value in parts if value.device == scope.device]
        where = " and ".join(str(value.device) for value in parts)
        return str(there[0]) if there else Missing(f"`{node.name}` is on gpu {where}, not on gpu {scope.device}")

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        return why_shape(net, node, claims)


@measure
class Kernel(LayerMeasure):
    """The shape of a filter."""

    name = "kernel"
    doc = (
        "What one filter reads, as the paper writes it: `5x5x48` (height, width, channels); of an fc layer its inputs."
    )

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        weights = [p.parameter.dims for p in node.parameters if p.parameter.role == "weight"]
        if not weights:
            return Missing(f"`{node.name}` is a `{node.layer.type}` layer without weights")
        dims = weights[0]
        return "x".join(map(str, (*dims[2:4], dims[1]))) if len(dims) >= 4 else str(dims[1])

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        read, source = node.input_shapes[0].channels, node.layer.inputs[0]
        groups = getattr(node.layer, "groups", 1)
        said = str(claims.of(self.name).get(node.name, "")).rpartition("x")[0]
        has = str(self.of_layer(net, node, Scope())).rpartition("x")[0]
        maps = f"a filter of `{node.name}` reads {read // groups} of the {read} channels of `{source}`"
        keys = [key for key, there in (("size", said != has), ("groups", True)) if there and hasattr(node.layer, key)]
        first = net.typed.by_name.get(source)
        wrong = first is not None and claims.shapes.get(source, "").split("x")[0] != str(first.shape.channels)
        origin = (channels_from(net, first),) if first is not None and wrong else ()
        return (maps, *(says(net, node.name, key) for key in keys), *origin)


@measure
class InputUnits(Measure):
    """The input's dimensions."""

    name = "input_units"
    doc = "How many numbers the net reads an image: channels x height x width."
    takes = "net"
    numeric = True

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        return (Item("", net.typed.input.shape.units),)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        shape: Maps = net.typed.input.shape
        return (f"the input is {shape} at {net.spec.spans.value('input').where}",)
