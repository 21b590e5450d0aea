"""The graphs as text, one line a node or step, for `build --dump-after` and for bug reports. Nothing reads it back."""

from __future__ import annotations

from netspec.ir.graph import Graph, TypedGraph, TypedNode
from netspec.ir.layer import Layer
from netspec.ir.placed import Compute, Join, PlacedGraph, Slice, Step, Value


def print_graph(graph: Graph) -> str:
    """After build: names and wiring."""
    lines = [f"graph {graph.name} ({graph.input.name}: {graph.input.shape})"]
    lines += [f"  {node.name} = {_call(node.layer, node.layer.inputs)}" for node in graph.nodes]
    return "\n".join([*lines, f"  return {', '.join(graph.outputs)}"]) + "\n"


def print_typed(graph: TypedGraph) -> str:
    """After infer: shapes, parameters, multiply-adds."""
    lines = [f"typed graph {graph.name} ({graph.input.name}: {graph.input.shape})"]
    lines += [f"  {_typed(node)}" for node in graph.nodes]
    totals = f"  # {graph.parameter_count:,} parameters, {graph.macs:,} multiply-adds, {graph.units:,} units"
    return "\n".join([*lines, f"  return {', '.join(graph.outputs)}", totals]) + "\n"


def print_placed(graph: PlacedGraph) -> str:
    """After place: every step with its device."""
    lines = [f"placed graph {graph.typed.name} on gpu {', '.join(map(str, graph.devices))}"]
    lines += [f"  {_value(value)} = input" for value in graph.inputs]
    lines += [f"  {_value(step.output)} = {_step(step)}" for step in graph.steps]
    lines += [f"  return {', '.join(value.name for value in graph.outputs)}"]
    return "\n".join([*lines, f"  # {graph.cross_device_floats:,} floats an image cross between devices"]) + "\n"


def _typed(node: TypedNode) -> str:
    weights = " ".join(f"{p.name}[{'x'.join(map(str, p.parameter.dims))}]" for p in node.parameters)
    cost = f"  # {weights}; {node.macs:,} multiply-adds" if node.parameters else ""
    return f"{node.name}: {node.shape} = {_call(node.layer, node.layer.inputs)}{cost}"


def _value(value: Value) -> str:
    return f"{value.name}: {value.shape} @{value.device}"


def _step(step: Step) -> str:
    if isinstance(step, Compute):
        rows = " ".join(f"{p.name}[{p.rows}]" for p in step.parameters)
        return _call(step.layer, tuple(v.name for v in step.inputs)) + (f"  # {rows}" if rows else "")
    if isinstance(step, Slice):
        return f"slice {step.input.name}[{step.start}:{step.start + step.output.shape.channels}]"
    if isinstance(step, Join):
        return f"join {', '.join(v.name for v in step.inputs)}"
    return f"transfer {step.input.name}  # {step.floats:,} floats"


def _call(layer: Layer, inputs: tuple[str, ...]) -> str:
    neuron = f" {layer.neuron}" if layer.neuron else ""
    return f"{layer.type}({', '.join(inputs)}){neuron}"
