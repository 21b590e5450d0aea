"""The graphs, one type a stage: wired names, then shapes and costs. Nodes are in an order that can be computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from netspec.ir.layer import Layer
from netspec.ir.parameter import Parameter
from netspec.ir.shape import Maps, Shape

FLOAT_BYTES = 4


@dataclass(frozen=True)
class Input:
    """What the net reads: a name and maps."""

    name: str
    shape: Maps


@dataclass(frozen=True)
class Node:
    """A layer under its name; what it reads is ``layer.inputs``."""

    name: str
    layer: Layer


@dataclass(frozen=True)
class Graph:
    """Wired names: every input exists, there is no cycle, and what nothing reads is an output."""

    name: str
    input: Input
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class OwnedParameter:
    """A parameter under its name in the net, ``conv1.weight``. A tied one has its owner's name and numbers."""

    name: str
    path: str
    tied: bool
    parameter: Parameter


@dataclass(frozen=True)
class TypedNode:
    """A layer with shapes (of one image), parameters and multiply-adds."""

    name: str
    layer: Layer
    input_shapes: tuple[Shape, ...]
    shape: Shape
    parameters: tuple[OwnedParameter, ...]
    macs: int

    @property
    def parameter_count(self) -> int:
        """Learned numbers of its own: neither shared ones nor running statistics."""
        own = (p.parameter for p in self.parameters if not p.tied)
        return sum(p.count for p in own if p.role != "statistic")

    @property
    def weighs(self) -> bool:
        """Whether it multiplies its inputs by weights, its own or shared ones."""
        return self.macs > 0 and any(p.parameter.role == "weight" for p in self.parameters)

    @property
    def activation_bytes(self) -> int:
        """Bytes of its float32 output for one image."""
        return self.shape.units * FLOAT_BYTES


@dataclass(frozen=True)
class TypedGraph:
    """A graph whose nodes know their shapes and costs."""

    name: str
    input: Input
    nodes: tuple[TypedNode, ...]
    outputs: tuple[str, ...]

    @cached_property
    def by_name(self) -> dict[str, TypedNode]:
        return {node.name: node for node in self.nodes}

    def shape(self, name: str) -> Shape:
        """The shape of a layer's output or of the input. Raises KeyError."""
        return self.input.shape if name == self.input.name else self.by_name[name].shape

    @property
    def parameters(self) -> tuple[OwnedParameter, ...]:
        """Every tensor once, in the order of the nodes."""
        return tuple(p for node in self.nodes for p in node.parameters if not p.tied)

    @property
    def parameter_count(self) -> int:
        return sum(node.parameter_count for node in self.nodes)

    @property
    def macs(self) -> int:
        """Multiply-adds of one image, forward."""
        return sum(node.macs for node in self.nodes)

    @property
    def units(self) -> int:
        """Outputs of the layers with weights: the paper's neurons."""
        return sum(node.shape.units for node in self.nodes if node.weighs)
