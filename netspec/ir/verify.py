"""The verifier: infers every step of a placed graph anew and compares. What it finds is a bug of netspec."""

from __future__ import annotations

from collections import Counter

from netspec.ir.placed import Compute, Join, PlacedGraph, Slice, Step, Transfer, Value
from netspec.ir.shape import Range


class VerifyError(RuntimeError):
    """A graph contradicts itself; the message names the value."""


def verify(graph: PlacedGraph) -> None:
    """Check a placed graph. Raises VerifyError.

    1. every value is made before it is read, once, on the device where it is read; 2. every step's output has the
    shape that its rule gives; 3. the parts of a layer, and the rows of each parameter, cover it once; 4. the
    multiply-adds of the parts add up to the layer's.
    """
    made: dict[str, Value] = {value.name: value for value in graph.inputs}
    for step in graph.steps:
        for value in _read(step):
            _require(made.get(value.name) == value, value, "is read before it is made")
            crossing = isinstance(step, Transfer)
            _require(crossing or value.device == step.output.device, value, "is read from another device")
        _require(step.output.name not in made, step.output, "is made twice")
        _check_shape(step)
        made[step.output.name] = step.output
    _check_parts(graph)
    _check_parameters(graph)


def _read(step: Step) -> tuple[Value, ...]:
    return step.inputs if isinstance(step, Compute | Join) else (step.input,)


def _check_shape(step: Step) -> None:
    if isinstance(step, Compute):
        shapes = tuple(value.shape for value in step.inputs)
        _require(step.layer.infer(shapes) == step.output.shape, step.output, "has not the shape that its layer gives")
        _require(step.layer.macs(shapes) == step.macs, step.output, "has other multiply-adds than its layer gives")
    elif isinstance(step, Slice):
        inside = step.start >= 0 and step.start + step.output.shape.channels <= step.input.shape.channels
        _require(inside, step.output, "reads channels that are not there")
    elif isinstance(step, Transfer):
        _require(step.input.shape == step.output.shape, step.output, "changes its shape on the way")
        _require(step.input.device != step.output.device, step.output, "is sent to where it is")
    else:
        total = sum(value.shape.channels for value in step.inputs)
        _require(total == step.output.shape.channels, step.output, "has not the channels of its pieces")


def _check_parts(graph: PlacedGraph) -> None:
    for name, parts in graph.parts:
        _cover([value.channels for value in parts], graph.typed.shape(name).channels, parts[0])


def _check_parameters(graph: PlacedGraph) -> None:
    rows: dict[str, list[Range]] = {}
    macs: Counter[str] = Counter()
    for step in graph.computes:
        macs[step.node] += step.macs
        for parameter in step.parameters:
            if not parameter.tied:
                rows.setdefault(parameter.name, []).append(parameter.rows)
    for owned in graph.typed.parameters:
        value = graph.parts_of(owned.name.partition(".")[0])[0]
        _cover(rows.get(owned.name, []), owned.parameter.dims[0], value)
    for node in graph.typed.nodes:
        value = graph.parts_of(node.name)[0]
        _require(macs[node.name] == node.macs, value, f"has {macs[node.name]} multiply-adds, not {node.macs}")


def _cover(ranges: list[Range], channels: int, value: Value) -> None:
    ends = [0, *(r.stop for r in ranges)]
    starts = [*(r.start for r in ranges), channels]
    _require(ends == starts, value, f"is covered by {', '.join(map(str, ranges))}, not 0:{channels} once")


def _require(holds: bool, value: Value, message: str) -> None:
    if not holds:
        raise VerifyError(f"`{value.name}` ({value.shape} on gpu {value.device}) {message}")
