"""What a drawing shows: boxes on devices and the lines between them. Slices, joins and places are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netspec.ir.placed import Compute, PlacedGraph, Value
from netspec.report.drawing.caption import caption
from netspec.report.flow import Origin, origins

Kind = Literal["input", "layer", "output"]


@dataclass(frozen=True)
class Box:
    """A layer or its part on a device; the input is on all (device None). ``row`` is its depth in the net.

    ``family`` is the layer class's module (`conv`, `pool`), which decides the colour.
    """

    id: str
    kind: Kind
    device: int | None
    row: int
    name: str
    caption: str
    shape: str
    parameters: int
    family: str


@dataclass(frozen=True)
class Line:
    """What one box reads of another; ``floats`` is what is copied between their devices, 0 on one device."""

    source: str
    target: str
    floats: int


@dataclass(frozen=True)
class Drawing:
    """Boxes in an order in which they can be computed, the input first, the outputs last."""

    title: str
    devices: tuple[int, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def drawing_of(graph: PlacedGraph) -> Drawing:
    """The boxes and lines of a placed net."""
    return _Sketch(graph).run()


class _Sketch:
    def __init__(self, graph: PlacedGraph) -> None:
        self.graph = graph
        self.origins = origins(graph)
        self.rows = _rows(graph)
        self.lines: dict[Line, None] = {}

    def run(self) -> Drawing:
        boxes = [self._input(), *map(self._layer, self.graph.computes)]
        boxes += [self._output(number, value) for number, value in enumerate(self.graph.outputs)]
        return Drawing(self.graph.typed.name, self.graph.devices, tuple(boxes), tuple(self.lines))

    def _input(self) -> Box:
        shape = self.graph.typed.input.shape
        text = "input" if len(self.graph.devices) == 1 else "input, on every device"
        name = self.graph.typed.input.name
        return Box(name, "input", None, 0, name, text, str(shape), 0, "input")

    def _layer(self, step: Compute) -> Box:
        for value in step.inputs:
            self._connect(value, step.output.name)
        family = type(step.layer).__module__.rpartition(".")[2]
        count = step.learned_count
        shape = self._part_shape(step)
        return Box(
            step.output.name,
            "layer",
            step.output.device,
            self.rows[step.node],
            step.node,
            caption(step.layer),
            shape,
            count,
            family,
        )

    def _part_shape(self, step: Compute) -> str:
        """Of the part that the layer leaves, without a margin that it computes and drops."""
        parts = self.graph.parts_of(step.node)
        return str((parts[step.part] if step.part is not None else step.output).shape)

    def _output(self, number: int, value: Value) -> Box:
        name = f"output {number}"  # no value is called so: a blank
        self._connect(value, name)
        return Box(
            name, "output", value.device, self.rows[value.source] + 1, "output", "", str(value.shape), 0, "output"
        )

    def _connect(self, value: Value, target: str) -> None:
        for origin in self.origins[value.name]:
            self.lines[Line(self._source(origin), target, origin.transfer.floats if origin.transfer else 0)] = None

    def _source(self, origin: Origin) -> str:
        is_input = origin.value.source == self.graph.typed.input.name
        return self.graph.typed.input.name if is_input else origin.value.name


def _rows(graph: PlacedGraph) -> dict[str, int]:
    """The longest way from the input to each layer."""
    rows = {graph.typed.input.name: 0}
    for node in graph.typed.nodes:
        rows[node.name] = 1 + max(rows[source] for source in node.layer.inputs)
    return rows
