"""The verifier: infers every step of a placed graph anew and compares. What it finds is a bug of netspec."""

from __future__ import annotations

from collections import Counter

from netspec.ir.placed import Compute, Join, PlacedGraph, Slice, Step, Transfer, Value
from netspec.ir.shape import Range


class VerifyError(RuntimeError):
    """A graph contradicts itself; the message names the value."""


def verify(graph: PlacedGraph) -> None:
    """Check a placed graph. Raises VerifyError.

    1. every value is made before it is read or returned, once, on the device where it is read; 2. every step's output
    has the shape that its rule gives, and holds the channels that it says; 3. the parts of a layer, and the rows of
    each parameter, cover it once; 4. the multiply-adds of the parts add up to the layer's.
    """
    made: dict[str, Value] = {value.name: value for value in graph.inputs}
    for step in graph.steps:
        for value in _read(step):
            _require(made.get(value.name) == value, value, "is read before it is made")
            crossing = isinstance(step, Transfer)
            _require(crossing or value.device == step.output.device, value, "is read from another device")
        _require(step.output.name not in made, step.output, "is made twice")
        _check_shape(step)
        _check_channels(step)
        made[step.output.name] = step.output
    for value in (*graph.outputs, *(part for _, parts in graph.parts for part in parts)):
        _require(made.get(value.name) == value, value, "is returned and never made")
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


def _check_channels(step: Step) -> None:
    """What a step that only moves numbers says of its output agrees with what it reads."""
    output = step.output
    if isinstance(step, Compute):
        return
    sources = {value.source for value in _read(step)}
    _require(sources == {output.source}, output, f"is said to be of `{output.source}`, but is of {', '.join(sources)}")
    if isinstance(step, Join):
        _cover([value.channels for value in step.inputs], output.channels, output)
        return
    wanted = step.input.channels
    if isinstance(step, Slice) and step.input.shape.channels == wanted.size:  # else it drops a margin
        wanted = Range(wanted.start + step.start, wanted.start + step.start + output.shape.channels)
    _require(output.channels == wanted, output, f"is said to be channels {output.channels}, but is {wanted}")


def _check_parts(graph: PlacedGraph) -> None:
    for name, parts in graph.parts:
        _cover([value.channels for value in parts], Range(0, graph.typed.shape(name).channels), parts[0])


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
        _cover(rows.get(owned.name, []), Range(0, owned.parameter.dims[0]), value)
    for node in graph.typed.nodes:
        value = graph.parts_of(node.name)[0]
        _require(macs[node.name] == node.macs, value, f"has {macs[node.name]} multiply-adds, not {node.macs}")


def _cover(ranges: list[Range], whole: Range, value: Value) -> None:
    ends = [whole.start, *(r.stop for r in ranges)]
    starts = [*(r.start for r in ranges), whole.stop]
    _require(ends == starts, value, f"is covered by {', '.join(map(str, ranges))}, not {whole} once")


def _require(holds: bool, value: Value, message: str) -> None:
    if not holds:
        raise VerifyError(f"`{value.name}` ({value.shape} on gpu {value.device}) {message}")
