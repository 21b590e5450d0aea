"""The placed graph: which device computes which channels, with every slice, transfer and join as a step of its own.

With all layers on one device it is the merged net: one Compute a layer and nothing else. Backends print steps in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

from netspec.ir.graph import FLOAT_BYTES, TypedGraph
from netspec.ir.layer import Layer
from netspec.ir.parameter import Role
from netspec.ir.shape import Range, Shape


@dataclass(frozen=True)
class Value:
    """A tensor on a device: the channels ``channels`` of layer ``source`` (or the input)."""

    name: str
    source: str
    channels: Range
    shape: Shape
    device: int


@dataclass(frozen=True)
class PlacedParameter:
    """Rows of a parameter of the net (``conv2.weight[0:128]``), under their path in the layer's module."""

    name: str
    path: str
    rows: Range
    dims: tuple[int, ...]
    tied: bool
    role: Role

    @property
    def count(self) -> int:
        return prod(self.dims)


@dataclass(frozen=True)
class Compute:
    """A layer, or its part, on a device. ``part`` is its number among the parts, or None for a whole layer."""

    node: str
    part: int | None
    layer: Layer
    inputs: tuple[Value, ...]
    output: Value
    parameters: tuple[PlacedParameter, ...]
    macs: int

    @property
    def learned_count(self) -> int:
        """Learned numbers of its own: neither shared ones nor running statistics."""
        return sum(p.count for p in self.parameters if not p.tied and p.role != "statistic")

    @property
    def module(self) -> str:
        """The name of its nn module: ``conv2``, or ``conv2_0`` for a part."""
        return self.node if self.part is None else f"{self.node}_{self.part}"


@dataclass(frozen=True)
class Slice:
    """Some channels of a value, on the same device; ``start`` is where they begin in it."""

    input: Value
    start: int
    output: Value


@dataclass(frozen=True)
class Transfer:
    """A copy on another device."""

    input: Value
    output: Value

    @property
    def floats(self) -> int:
        """Numbers an image that cross, forward; as many gradients come back."""
        return self.output.shape.units


@dataclass(frozen=True)
class Join:
    """Channels of several values on one device, one after the other."""

    inputs: tuple[Value, ...]
    output: Value


Step = Compute | Slice | Transfer | Join


@dataclass(frozen=True)
class PlacedGraph:
    """A typed graph with a device for every layer.

    ``inputs`` is the net's input, once on each device that reads it; ``parts`` are the values
    that together are a layer's output, in order of channels; ``steps`` compute; ``outputs`` are whole values.
    """

    typed: TypedGraph
    devices: tuple[int, ...]
    placement: tuple[tuple[str, tuple[int, ...]], ...]
    inputs: tuple[Value, ...]
    parts: tuple[tuple[str, tuple[Value, ...]], ...]
    steps: tuple[Step, ...]
    outputs: tuple[Value, ...]

    @cached_property
    def devices_of(self) -> dict[str, tuple[int, ...]]:
        return dict(self.placement)

    @cached_property
    def _parts_of(self) -> dict[str, tuple[Value, ...]]:
        return dict(self.parts)

    def parts_of(self, layer: str) -> tuple[Value, ...]:
        """The values that together are a layer's output. Raises KeyError."""
        return self._parts_of[layer]

    @property
    def computes(self) -> tuple[Compute, ...]:
        return tuple(step for step in self.steps if isinstance(step, Compute))

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """Copies between devices; the input, which is on every device, is not counted."""
        return tuple(step for step in self.steps if isinstance(step, Transfer))

    @property
    def cross_device_floats(self) -> int:
        """Numbers an image that cross between devices, forward."""
        return sum(t.floats for t in self.transfers)

    def parameters_on(self, device: int) -> int:
        """Learned numbers that the device holds."""
        held = {
            (p.name, p.rows): p.count
            for c in self.computes
            if c.output.device == device
            for p in c.parameters
            if p.role != "statistic"
        }
        return sum(held.values())

    def macs_on(self, device: int) -> int:
        return sum(c.macs for c in self.computes if c.output.device == device)

    def activation_bytes_on(self, device: int) -> int:
        """Bytes of all float32 values made on the device for one image, copies from elsewhere included."""
        made = (step.output for step in self.steps if step.output.device == device)
        return sum(value.shape.units * FLOAT_BYTES for value in made)
