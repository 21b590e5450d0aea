"""One ONNX file a device, and the stages in which they are run: `netspec_runtime.split` is the runner.

A device's file holds all that it computes; what comes from other devices are inputs, what others need are outputs. A
stage is what can be computed between two exchanges: AlexNet on two devices has five.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.backends.onnx.file import write_model
from netspec.backends.onnx.graph import OnnxGraph, check_graph, onnx_graph
from netspec.backends.onnx.metadata import add_metadata
from netspec.ir.lowering import LrnForm
from netspec.ir.placed import Compute, Join, PlacedGraph, Slice, Step, Transfer, Value
from netspec.seen import Seen
from netspec.spec.model import Spec
from netspec_runtime.card import SPLIT_KEY
from netspec_runtime.weights import map_weights

if TYPE_CHECKING:
    from netspec.backends.onnx.file import Array


def split_graphs(
    spec: Spec, placed: PlacedGraph, lrn: LrnForm, labels: tuple[str, ...], weights: str, seen: Seen | None = None
) -> dict[str, OnnxGraph]:
    """The checked graph of each device, by file name. ``weights`` identifies the weights that all of them share."""
    names = {device: part_name(spec, device) for device in placed.devices}
    plan = _Plan.of(placed)
    graphs = {}
    for device, name in names.items():
        ends = tuple(dict.fromkeys(v for v in plan.sent if v.device == device))
        graph = onnx_graph(placed, lrn, plan.received[device], ends, device, spec.about)
        check_graph(graph)
        document = {
            "files": list(names.values()),
            "weights": weights,
            "device": device,
            "input": [v.name for v in placed.inputs if v.device == device],
            "outputs": [(v.source, v.name) for v in placed.outputs],
            "stages": plan.stages_of(device),
            "copies": {t.output.name: t.input.name for t in placed.transfers if t.output.device == device},
        }
        add_metadata(graph.model, spec, labels, seen, {SPLIT_KEY: json.dumps(document, sort_keys=True)})
        graphs[name] = graph
    return graphs


def part_name(spec: Spec, device: int) -> str:
    """The name of a device's file."""
    return f"{spec.name}.gpu{device}.onnx"


def write_split(
    path: Path, graph: OnnxGraph, merged: Path, install: Callable[[Path, Path], object] = Path.replace
) -> int:
    """Write a device's file with its rows of the merged file's weights; returns its size. Raises DataError."""
    weights = map_weights(merged)

    def fill(arrays: dict[str, Array]) -> None:
        for tensor in graph.tensors:
            arrays[tensor.name][...] = weights[tensor.source][tensor.rows.start : tensor.rows.stop]

    return write_model(path, graph, fill, install)


@dataclass
class _Plan:
    """Which stage makes each value, what each device receives, and what it gives away."""

    stage: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    received: dict[int, list[Value]] = field(default_factory=dict)
    sent: list[Value] = field(default_factory=list)

    @classmethod
    def of(cls, placed: PlacedGraph) -> _Plan:
        plan = cls(stage={value.name: 0 for value in placed.inputs}, received={d: [] for d in placed.devices})
        for value in placed.inputs:
            plan.received[value.device].append(value)
        for step in placed.steps:
            plan._take(step)
        plan.sent += placed.outputs
        return plan

    def _take(self, step: Step) -> None:
        if isinstance(step, Transfer):
            self.stage[step.output.name] = self.stage[step.input.name] + 1
            self.received[step.output.device].append(step.output)
            self.sent.append(step.input)
            return
        self.stage[step.output.name] = max(self.stage[value.name] for value in _read(step))
        self.steps.append(step)

    def stages_of(self, device: int) -> list[list[str]]:
        """For each stage the values it makes; an empty list where the device waits."""
        last = max(self.stage.values())
        mine = [step.output for step in self.steps if step.output.device == device]
        return [[v.name for v in mine if self.stage[v.name] == number] for number in range(last + 1)]


def _read(step: Compute | Slice | Join) -> tuple[Value, ...]:
    return (step.input,) if isinstance(step, Slice) else step.inputs
