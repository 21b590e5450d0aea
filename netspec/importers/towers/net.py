"""The written net as towers are found in it: its layers with their shapes and devices. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from netspec.ir.graph import TypedNode
from netspec.ir.layer import Layer, LearnedLayer
from netspec.layers.fc import Fc
from netspec.layers.windowed import WindowedLayer
from netspec.passes.build import build
from netspec.passes.infer import infer
from netspec.passes.place import place
from netspec.spec import Spec


@dataclass(frozen=True)
class Written:
    """A spec, compiled. ``nodes`` are in an order that can be computed."""

    spec: Spec
    nodes: dict[str, TypedNode]
    devices: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, spec: Spec) -> Written:
        """Raises SpecError for a spec that does not compile."""
        typed = infer(build(spec), spec)
        placed = place(typed, spec)
        return cls(spec, typed.by_name, dict(placed.devices_of), typed.outputs)

    @property
    def input(self) -> str:
        return self.spec.input.name

    def channels(self, name: str) -> int:
        """How many channels a layer or the input has."""
        return self.spec.input.channels if name == self.input else self.nodes[name].shape.channels

    def pixels(self, name: str) -> int:
        """Units of one channel."""
        shape = self.spec.input.shape if name == self.input else self.nodes[name].shape
        return shape.units // shape.channels

    @cached_property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """Layers by the length of the longest way from the input: mirrored layers are on one level."""
        depth = {self.input: 0}
        levels: list[list[str]] = []
        for name, node in self.nodes.items():
            depth[name] = 1 + max(depth[source] for source in node.layer.inputs)
            levels += [[]] if depth[name] > len(levels) else []
            levels[depth[name] - 1].append(name)
        return tuple(map(tuple, levels))

    @cached_property
    def sharing(self) -> frozenset[str]:
        """Layers that share weights, and those whose weights they share: they stay as they are."""
        found: set[str] = set()
        for name, node in self.nodes.items():
            for owner in filter(None, _shared(node.layer)):
                found |= {name, owner.partition("[")[0]}
        return frozenset(found)

    @cached_property
    def below(self) -> dict[str, int]:
        """A number for what reads a layer's output, and what reads that: the same for mirrored layers."""
        numbers: dict[tuple[object, ...], int] = {}
        readers: dict[str, list[int]] = {name: [] for name in (self.input, *self.nodes)}
        below: dict[str, int] = {}
        for name in reversed(self.nodes):
            layer, shape = self.nodes[name].layer, self.nodes[name].shape
            keys = layer.type if isinstance(layer, LearnedLayer) else replace(layer, inputs=(), gpu=None)
            below[name] = numbers.setdefault((keys, shape, tuple(sorted(readers[name]))), len(numbers))
            for source in layer.inputs:
                readers[source].append(below[name])
        return below


def _shared(layer: Layer) -> tuple[str | None, ...]:
    if not isinstance(layer, LearnedLayer):
        return ()
    inputs = layer.per_input if isinstance(layer, Fc | WindowedLayer) else ()
    return (layer.share_weights, *(own.share_weights for own in inputs))
