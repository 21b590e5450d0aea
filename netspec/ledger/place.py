"""What the spec says and where, for the reasons of a failed row. It judges nothing."""

from __future__ import annotations

from netspec.ir.graph import TypedNode
from netspec.ir.reasons import size_reasons
from netspec.ir.shape import Maps
from netspec.ledger.measure import Claims
from netspec.ledger.net import Net
from netspec.ledger.plain import plain_text


def says(net: Net, layer: str, key: str) -> str:
    """```conv1` says `filters: 94` (alexnet.yaml:11:49)``, or that it says nothing and what is the default."""
    value = plain_text(getattr(net.spec.layers[layer], key))
    path = ("layers", layer, key)
    if path not in net.spec.spans.values:
        return f"`{layer}` does not say `{key}`: the default is {value}"
    return f"`{layer}` says `{key}: {value}` ({net.spec.spans.values[path].where})"


def spec_says(net: Net, path: tuple[str, ...], value: object) -> str:
    """The same of a key outside the layers, such as ``("train", "batch")``."""
    name = ".".join(path)
    if path not in net.spec.spans.values:
        return f"the spec does not say `{name}`: the default is {plain_text(value)}"
    return f"the spec says `{name}: {plain_text(value)}` ({net.spec.spans.values[path].where})"


def why_shape(net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
    """Where a layer's channels and its size come from; what agrees with the ledger's own shape of it is left out."""
    said, has = claims.shapes.get(node.name, "").split("x"), str(node.shape).split("x")
    channels = () if said[0] == has[0] else (channels_from(net, node),)
    if not isinstance(node.shape, Maps) or said[1:] == has[1:]:
        return channels
    return (*channels, *size_reasons(net.typed.by_name, node.name, claims.shapes))


def channels_from(net: Net, node: TypedNode) -> str:
    """Which layer on the way gave a layer its number of channels."""
    name = node.name
    while name in net.typed.by_name:
        current = net.typed.by_name[name]
        key = next((k for k in ("filters", "outputs") if hasattr(current.layer, k)), "")
        if key:
            return says(net, name, key)
        name = current.layer.inputs[0]
    return f"`{name}` has {net.typed.input.shape.channels} channels"
