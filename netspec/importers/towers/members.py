"""Layers of several towers to the one layer that computes the same. It finds no towers and names nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain

from netspec.diagnostics.grammar import a
from netspec.importers.towers.net import Written
from netspec.importers.towers.reads import (
    Branch,
    Learned,
    Read,
    UnlikeTowersError,
    View,
    branch_of,
    channels_read,
    joined,
    without_reads,
)
from netspec.importers.towers.selection import Channels, is_even, select
from netspec.ir.layer import ChannelwiseLayer, Layer
from netspec.layers.rnorm import Normalisation, ResponseNorm


@dataclass(frozen=True)
class Merged:
    """One layer for several of mirrored towers, or for one that reads such layers.

    ``layer.inputs`` are sources: the first members of the layers that it reads.
    """

    members: tuple[str, ...]
    layer: Layer
    devices: tuple[int, ...]
    reads: tuple[Read, ...] = ()


@dataclass(frozen=True)
class Merger:
    """Merges layers of a net, given where the outputs of those before are now, and how many channels sources have."""

    net: Written
    views: Mapping[str, View]
    channels: Mapping[str, int]

    def likeness(self, name: str) -> tuple[object, ...]:
        """Equal for layers that may be one: type, keys and sources, whichever towers of those are read."""
        layer = self.net.nodes[name].layer
        if isinstance(layer, Learned):
            return without_reads(layer), *sorted(self._branches(name), key=repr)
        return replace(layer, inputs=(), gpu=None), *(view.source for view in self.inputs(name))

    def inputs(self, name: str) -> tuple[View, ...]:
        """Where a layer's inputs are."""
        return tuple(self.views[source] for source in self.net.nodes[name].layer.inputs)

    def merge(self, members: tuple[str, ...]) -> Merged:
        """One layer for members that are like each other. Raises UnlikeTowersError."""
        layer = self.net.nodes[members[0]].layer
        devices = tuple(chain.from_iterable(self.net.devices[name] for name in members))
        if isinstance(layer, Learned):
            reads = self._reads(members)
            return Merged(members, joined(layer, len(members), reads), devices, reads)
        if not isinstance(layer, ChannelwiseLayer | Normalisation):
            raise UnlikeTowersError(f"{a(layer.type)} layer reads all channels at once")
        self._check_own_towers(members)
        self._check_parameters(members[0])
        merged: Layer = replace(layer, inputs=tuple(view.source for view in self.inputs(members[0])))
        if isinstance(merged, ResponseNorm) and merged.across == "channels":
            merged = replace(merged, groups=merged.groups * len(members))
        return Merged(members, merged, devices)

    def _branches(self, name: str) -> tuple[Branch, ...]:
        node = self.net.nodes[name]
        return tuple(branch_of(node, number, view.source) for number, view in enumerate(self.inputs(name)))

    def _reads(self, members: tuple[str, ...]) -> tuple[Read, ...]:
        """One for each source and way to read it, in the order of the first member."""
        branches = [self._branches(name) for name in members]
        numbers = {
            branch: tuple(tuple(n for n, other in enumerate(own) if other == branch) for own in branches)
            for branch in branches[0]
        }
        return tuple(self._read(members, branch, inputs) for branch, inputs in numbers.items())

    def _read(self, members: tuple[str, ...], branch: Branch, inputs: tuple[tuple[int, ...], ...]) -> Read:
        channels, pairs = self.channels[branch.source], tuple(zip(members, inputs, strict=True))
        views = (self.inputs(name)[number].channels for name, numbers in pairs for number in numbers)
        if not is_even(views, channels):
            raise UnlikeTowersError("some channels are read by more of them than others")
        parts = chain.from_iterable(self._parts(name, numbers, branch.groups) for name, numbers in pairs)
        return Read(branch, inputs, select(tuple(parts), channels))

    def _parts(self, name: str, numbers: tuple[int, ...], groups: int) -> tuple[Channels, ...]:
        """The channels that each group of a layer reads of inputs that are one source now."""
        layer, views = self.net.nodes[name].layer, self.inputs(name)
        parts: list[Channels] = [()] * groups
        for number in numbers:
            read = channels_read(layer, number, views[number].channels)
            each = len(read) // groups
            parts = [part + read[n * each : (n + 1) * each] for n, part in enumerate(parts)]
        return tuple(parts)

    def _check_own_towers(self, members: tuple[str, ...]) -> None:
        """Each member reads its own tower, in the order of the towers."""
        for views in zip(*map(self.inputs, members), strict=True):
            source = views[0].source
            if tuple(chain.from_iterable(view.channels for view in views)) != tuple(range(self.channels[source])):
                raise UnlikeTowersError("each reads something else than its own tower")

    def _check_parameters(self, name: str) -> None:
        node = self.net.nodes[name]
        if any(owned.parameter.dims[0] != node.shape.channels for owned in node.parameters):
            raise UnlikeTowersError("each has a number that its channels share")
