"""Measures that count: parameters, multiply-adds, units, numbers that cross devices. They add up over layers."""

from __future__ import annotations

from netspec.ir.graph import TypedNode
from netspec.ir.parameter import Role
from netspec.ir.reasons import size_reasons
from netspec.ir.shape import Maps, Vector
from netspec.ledger.measure import Claims, Scope, SumMeasure, measure
from netspec.ledger.net import Net
from netspec.ledger.place import why_shape
from netspec.ledger.value import Missing, Plain, Style

_PLURAL = {"weight": "weights", "bias": "biases", "statistic": "statistics"}


@measure
class Parameters(SumMeasure):
    """Learned numbers."""

    name = "parameters"
    doc = "Learned numbers (weights and biases, shared ones once) of layers or of the net; with `device`, there alone."

    def of_net(self, net: Net, scope: Scope) -> int:
        return net.typed.parameter_count if scope.device is None else net.placed.parameters_on(scope.device)

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        if scope.device is None:
            return node.parameter_count
        own = {p.name for p in node.parameters if not p.tied and p.parameter.role != "statistic"}
        placed = (
            p
            for c in net.placed.computes
            if c.node == node.name and c.output.device == scope.device
            for p in c.parameters
        )
        return sum(p.count for p in placed if p.name in own)

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        tensors = [(p.parameter.dims, _PLURAL[p.parameter.role]) for p in node.parameters if not p.tied]
        if not tensors:
            return (f"`{node.name}` is a `{node.layer.type}` layer without parameters of its own",)
        text = " and ".join(f"{'x'.join(map(str, dims))} {role}" for dims, role in tensors)
        return (f"`{node.name}` has {text}", *why_units_read(net, node, claims))


class _OfRole(SumMeasure):
    """The parameters of one role."""

    role: Role

    def of_net(self, net: Net, scope: Scope) -> int:
        return sum(self._count(node) for node in net.typed.nodes)

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        return self._count(node)

    def _count(self, node: TypedNode) -> int:
        return sum(p.parameter.count for p in node.parameters if not p.tied and p.parameter.role == self.role)

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        return Parameters().why_layer(net, node, claims)


@measure
class Weights(_OfRole):
    """Weights without biases."""

    name = "weights"
    doc = "Weights without biases, of layers or of the net."
    options = ("together",)
    role = "weight"


@measure
class Biases(_OfRole):
    """Biases."""

    name = "biases"
    doc = "Biases of layers or of the net."
    options = ("together",)
    role = "bias"


@measure
class Share(SumMeasure):
    """Percent of the parameters."""

    name = "share"
    doc = "Percent of the net's parameters that layers hold, each or `together`."
    takes = "layers"
    options = ("together",)
    style = Style(unit="%", digits=4)

    def of_net(self, net: Net, scope: Scope) -> float:
        return 100.0

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        return 100 * node.parameter_count / max(1, net.typed.parameter_count)

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        return (f"`{node.name}` holds {node.parameter_count:,} of {net.typed.parameter_count:,} parameters",)

    def why_sum(self, net: Net, scope: Scope, names: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        held = {name: net.typed.by_name[name].parameter_count for name in names}
        if not held:
            return ()
        text = " + ".join(f"{count:,} (`{name}`)" for name, count in held.items())
        return (f"{text} of {net.typed.parameter_count:,} parameters",)


@measure
class Macs(SumMeasure):
    """Multiply-adds."""

    name = "macs"
    doc = "Multiply-adds of one image, forward, of layers or of the net; with `device`, there alone."

    def of_net(self, net: Net, scope: Scope) -> int:
        return net.typed.macs if scope.device is None else net.placed.macs_on(scope.device)

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        if scope.device is None:
            return node.macs
        return sum(c.macs for c in net.placed.computes if c.node == node.name and c.output.device == scope.device)

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        units = node.shape.units
        line = f"`{node.name}` has {node.shape} = {units:,} outputs" if isinstance(node.shape, Maps) else ""
        line = line or f"`{node.name}` has {units:,} outputs"
        own = f"{line}, each a sum of {node.macs // units:,} products"
        return (own, *why_shape(net, node, claims), *why_units_read(net, node, claims))


@measure
class Units(SumMeasure):
    """Outputs of layers."""

    name = "units"
    doc = "Outputs (the paper's neurons) of layers; of the net: of all layers with weights."
    options = ("together",)

    def of_net(self, net: Net, scope: Scope) -> int:
        return net.typed.units

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        return node.shape.units

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        return why_shape(net, node, claims)

    def terms(self, net: Net) -> tuple[str, ...]:
        return tuple(node.name for node in net.typed.nodes if node.weighs)


@measure
class CrossDeviceFloats(SumMeasure):
    """Numbers that cross devices."""

    name = "cross_device_floats"
    doc = "Numbers an image that are copied between devices, forward: for what layers read, or in the whole net."
    options = ("together",)

    def of_net(self, net: Net, scope: Scope) -> int:
        return net.placed.cross_device_floats

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        devices = net.placed.devices_of[node.name]
        read = (t for t in net.placed.transfers if t.output.source in node.layer.inputs and t.output.device in devices)
        return sum(t.floats for t in read)

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        copies = [t for t in net.placed.transfers if t.output.source in node.layer.inputs]
        if not copies:
            devices = ", ".join(map(str, net.placed.devices_of[node.name]))
            return (f"all that `{node.name}` reads is on its own device (gpu {devices})",)
        text = ", ".join(f"{t.floats:,} from gpu {t.input.device} to gpu {t.output.device}" for t in copies)
        return (f"`{node.name}` reads `{node.layer.inputs[0]}`: {text}",)

    def why_sum(self, net: Net, scope: Scope, names: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        if len(net.placed.devices) == 1:
            return ("the spec places every layer on one device",)
        return super().why_sum(net, scope, names, claims)


def why_units_read(net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
    """For a layer that flattens maps: how many units it reads, and why the maps have their size."""
    read = node.input_shapes[0]
    if not isinstance(node.shape, Vector) or not isinstance(read, Maps):
        return ()
    source = node.layer.inputs[0]
    wanted = _units(claims.shapes.get(source, ""))
    other = f", not {wanted:,}" if wanted not in (0, read.units) else ""
    line = f"`{node.name}` reads {read.units:,} units{other}: `{source}` is {read}"
    return (line, *size_reasons(net.typed.by_name, source, claims.shapes))


def _units(shape: str) -> int:
    """The product of ``256x6x6``; 0 for what is no shape."""
    total = 1
    for part in shape.split("x"):
        total *= int(part) if part.isdigit() else 0
    return total
