"""A measure: a named question to a compiled net, and the reasons of its answer. There are no expressions, only names.

The measures themselves are in `netspec.ledger.measures`; every one is registered here under its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from netspec.diagnostics import did_you_mean
from netspec.ir.graph import TypedNode
from netspec.ledger.net import Net
from netspec.ledger.value import PLAIN, Item, Missing, Plain, Style, show

Takes = Literal["net", "layers", "either", "two"]
Option = Literal["device", "type", "together", "recorded"]
MOST = 4  # layers that a reason lists


@dataclass(frozen=True)
class Scope:
    """What a row measures: layers (none: the whole net) and the options of the measure."""

    of: tuple[str, ...] = ()
    device: int | None = None
    type: str = ""
    together: bool = False
    recorded: tuple[float, ...] = ()
    baseline: tuple[float, ...] = ()


@dataclass(frozen=True)
class Claims:
    """What the ledger says of single layers, for reasons that say "not 9,216": by measure, then by layer."""

    values: Mapping[str, Mapping[str, Plain]] = field(default_factory=dict)

    def of(self, measure: str) -> Mapping[str, Plain]:
        return self.values.get(measure, {})

    @property
    def shapes(self) -> dict[str, str]:
        return {layer: str(shape) for layer, shape in self.of("shape").items()}


class Measure(ABC):
    """One measure. ``doc`` is its line of the reference; ``takes`` says which `of` it has."""

    name: str
    doc: str
    takes: Takes = "layers"
    options: tuple[Option, ...] = ()
    numeric: bool = False
    style: Style = PLAIN

    @abstractmethod
    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        """The values: one a layer, or those of the net."""

    @abstractmethod
    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        """Why the values are what they are, in terms of the spec; ``wrong`` are the labels that disagree."""


class LayerMeasure(Measure):
    """A measure of each layer by itself."""

    @abstractmethod
    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        """The value of one layer."""

    @abstractmethod
    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        """Why the layer has its value."""

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        return tuple(Item(name, self.of_name(net, name, scope)) for name in scope.of)

    def of_name(self, net: Net, name: str, scope: Scope) -> Plain | Missing:
        node = net.typed.by_name.get(name)
        return absent(net, name) if node is None else self.of_layer(net, node, scope)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        nodes = [net.typed.by_name[name] for name in wrong if name in net.typed.by_name]
        return tuple(reason for node in nodes for reason in self.why_layer(net, node, claims))


class SumMeasure(LayerMeasure):
    """A count that adds up: of each layer, of several `together`, or of the net."""

    takes: Takes = "either"
    options: tuple[Option, ...] = ("device", "together")
    numeric = True

    @abstractmethod
    def of_net(self, net: Net, scope: Scope) -> Plain | Missing:
        """The value of the whole net."""

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        if not scope.of:
            return (Item("", self.of_net(net, scope)),)
        each = super().measure(net, scope)
        if not scope.together:
            return each
        missing = [item.value for item in each if isinstance(item.value, Missing)]
        return (Item("", missing[0] if missing else sum(_number(item.value) for item in each)),)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        if scope.of and not scope.together:
            return super().why(net, scope, wrong, claims)
        names = tuple(name for name in scope.of or self.terms(net) if name in net.typed.by_name)
        return self.why_sum(net, scope, names, claims)

    def terms(self, net: Net) -> tuple[str, ...]:
        """The layers that the net's value is the sum of."""
        return tuple(node.name for node in net.typed.nodes)

    def why_sum(self, net: Net, scope: Scope, names: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        """The terms that are not what the ledger says of them, the first with its reasons; else the largest."""
        claimed = claims.of(self.name)
        whole = [(name, self.of_name(net, name, Scope())) for name in names]
        wrong = [(name, value) for name, value in whole if name in claimed and value != claimed[name]]
        if wrong:
            lines = [f"`{n}`: {show(v, self.style)}, not {show(claimed[n], self.style)}" for n, v in wrong[:MOST]]
            return (*lines, *self.why_layer(net, net.typed.by_name[wrong[0][0]], claims))
        terms = [(name, self.of_name(net, name, Scope(device=scope.device))) for name in names]
        ordered = sorted((term for term in terms if term[1] != 0), key=lambda term: -_number(term[1]))
        largest = ", ".join(f"`{name}` {show(value, self.style)}" for name, value in ordered[:MOST])
        return (f"its terms are {largest}{', and smaller ones' * (len(ordered) > MOST)}",) if ordered else ()


MEASURES: dict[str, Measure] = {}
MeasureT = TypeVar("MeasureT", bound=type[Measure])


def measure(cls: MeasureT) -> MeasureT:
    """Register a measure under its name. Raises ValueError where it is taken."""
    register(cls())
    return cls


def register(item: Measure) -> None:
    """Raises ValueError where the name is taken."""
    if item.name in MEASURES:
        raise ValueError(f"the measure `{item.name}` is registered twice")
    MEASURES[item.name] = item


def absent(net: Net, name: str) -> Missing:
    """The value of a layer that the spec does not have."""
    help = did_you_mean(name, net.typed.by_name)
    near = help if help.startswith("did") else ""
    return Missing(f"the spec has no layer `{name}`" + (f"; {near}" if near else ""))


def _number(value: Plain | Missing) -> int | float:
    return value if isinstance(value, int | float) else 0
