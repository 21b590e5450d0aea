"""Who reads what, seen past the slices and joins in between: layer to layer. It draws and prints nothing."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.ir.graph import FLOAT_BYTES
from netspec.ir.placed import Compute, Join, PlacedGraph, Slice, Transfer, Value


@dataclass(frozen=True)
class Origin:
    """Where a value's numbers come from: a layer's computed output or the input, and the copy that brought them."""

    value: Value
    transfer: Transfer | None


@dataclass(frozen=True)
class Crossing:
    """One copy from device to device: whose output it is, and which layers there read it."""

    source: str
    start: int
    end: int
    floats: int
    readers: tuple[str, ...]

    @property
    def forward_bytes(self) -> int:
        """Bytes an image; as many come back as gradients."""
        return self.floats * FLOAT_BYTES


def origins(graph: PlacedGraph) -> dict[str, tuple[Origin, ...]]:
    """The origins of every value, by its name; several where it was joined."""
    found: dict[str, tuple[Origin, ...]] = {value.name: (Origin(value, None),) for value in graph.inputs}
    for step in graph.steps:
        if isinstance(step, Compute):
            found[step.output.name] = (Origin(step.output, None),)
        elif isinstance(step, Transfer):
            found[step.output.name] = tuple(Origin(o.value, step) for o in found[step.input.name])
        elif isinstance(step, Slice):
            found[step.output.name] = found[step.input.name]
        else:
            found[step.output.name] = tuple(o for value in step.inputs for o in found[value.name])
    return found


def crossings(graph: PlacedGraph) -> tuple[Crossing, ...]:
    """Every transfer, in the order of the steps."""
    readers = _readers(graph)
    return tuple(
        Crossing(t.input.source, t.input.device, t.output.device, t.floats, tuple(readers[t.output.name]))
        for t in graph.transfers
    )


def _readers(graph: PlacedGraph) -> dict[str, dict[str, None]]:
    """The layers that read each value, directly or through slices and joins; ordered sets."""
    found: dict[str, dict[str, None]] = {step.output.name: {} for step in graph.steps}
    for step in reversed(graph.steps):
        inputs = step.inputs if isinstance(step, Compute | Join) else (step.input,)
        names = {step.node: None} if isinstance(step, Compute) else found[step.output.name]
        for value in inputs:
            if value.name in found:
                found[value.name] = {**names, **found[value.name]}
    return found
