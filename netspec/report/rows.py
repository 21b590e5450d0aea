"""The layer table as data: shapes, costs and bytes of layers, devices and transfers. It is no text."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.ir.graph import FLOAT_BYTES, TypedNode
from netspec.ir.parameter import Role
from netspec.ir.placed import PlacedGraph
from netspec.ir.shape import Shape
from netspec.pipeline import Compiled
from netspec.report.flow import Crossing, crossings
from netspec.spec.dump import spec_hash


@dataclass(frozen=True)
class Row:
    """A layer. ``parts`` are the shapes on its devices, in order; bytes are of one image in float32."""

    name: str
    type: str
    devices: tuple[int, ...]
    reads: tuple[str, ...]
    shape: Shape
    parts: tuple[Shape, ...]
    weights: int
    biases: int
    statistics: int
    macs: int
    reason: str
    effective: tuple[tuple[str, str], ...]

    @property
    def parameters(self) -> int:
        """Learned numbers: weights and biases of its own."""
        return self.weights + self.biases

    @property
    def activation_bytes(self) -> int:
        return self.shape.units * FLOAT_BYTES


@dataclass(frozen=True)
class DeviceRow:
    """What one device holds and does for an image."""

    device: int
    parameters: int
    macs: int
    activation_bytes: int

    @property
    def parameter_bytes(self) -> int:
        return self.parameters * FLOAT_BYTES


@dataclass(frozen=True)
class Table:
    """Everything that `netspec summary` prints."""

    name: str
    about: str
    hash: str
    input: Row
    rows: tuple[Row, ...]
    devices: tuple[DeviceRow, ...]
    crossings: tuple[Crossing, ...]
    units: int

    @property
    def weights(self) -> int:
        return sum(row.weights for row in self.rows)

    @property
    def biases(self) -> int:
        return sum(row.biases for row in self.rows)

    @property
    def parameters(self) -> int:
        return self.weights + self.biases

    @property
    def macs(self) -> int:
        return sum(row.macs for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Of the layers' outputs; copies between devices are the devices' own."""
        return sum(row.activation_bytes for row in self.rows)

    @property
    def crossing_floats(self) -> int:
        """Numbers an image between devices, forward."""
        return sum(crossing.floats for crossing in self.crossings)


def layer_table(compiled: Compiled) -> Table:
    """The table of a compiled net; layers in the order in which they are computed."""
    placed = compiled.placed
    return Table(
        compiled.spec.name,
        " ".join(compiled.spec.about.split()),
        spec_hash(compiled.spec),
        _input_row(placed),
        tuple(_row(placed, node) for node in compiled.typed.nodes),
        tuple(_device_row(placed, device) for device in placed.devices),
        crossings(placed),
        compiled.typed.units,
    )


def _input_row(placed: PlacedGraph) -> Row:
    name, shape = placed.typed.input.name, placed.typed.input.shape
    devices = tuple(value.device for value in placed.inputs)
    return Row(name, "input", devices, (), shape, (shape,) * len(devices), 0, 0, 0, 0, "", ())


def _row(placed: PlacedGraph, node: TypedNode) -> Row:
    return Row(
        node.name,
        node.layer.type,
        placed.devices_of[node.name],
        node.layer.inputs,
        node.shape,
        tuple(value.shape for value in placed.parts_of(node.name)),
        _count(node, "weight"),
        _count(node, "bias"),
        _count(node, "statistic"),
        node.macs,
        node.layer.reason(node.input_shapes),
        node.layer.effective(node.input_shapes),
    )


def _count(node: TypedNode, role: Role) -> int:
    """Numbers of its own: shared weights count where they are owned."""
    return sum(p.parameter.count for p in node.parameters if not p.tied and p.parameter.role == role)


def _device_row(placed: PlacedGraph, device: int) -> DeviceRow:
    numbers = placed.parameters_on(device), placed.macs_on(device), placed.activation_bytes_on(device)
    return DeviceRow(device, *numbers)
