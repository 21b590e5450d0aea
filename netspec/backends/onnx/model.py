"""ONNX files of a compiled net: one for the merged net, or one for each device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.backends.onnx.file import write_model
from netspec.backends.onnx.graph import OnnxGraph, check_graph, onnx_graph
from netspec.backends.onnx.metadata import add_metadata
from netspec.ir.lowering import LrnForm
from netspec.ir.placed import PlacedGraph
from netspec.seen import Seen
from netspec.spec.model import Spec

if TYPE_CHECKING:
    from netspec.backends.onnx.file import Array


def merged_graph(
    spec: Spec, merged: PlacedGraph, lrn: LrnForm, labels: tuple[str, ...], seen: Seen | None = None
) -> OnnxGraph:
    """The checked graph of the whole net, with its metadata."""
    graph = onnx_graph(merged, lrn, merged.inputs, merged.outputs, about=spec.about)
    check_graph(graph)
    add_metadata(graph.model, spec, labels, seen)
    return graph


def write_merged(
    path: Path,
    graph: OnnxGraph,
    fill: Callable[[dict[str, Array]], None],
    install: Callable[[Path, Path], object] = Path.replace,
) -> int:
    """Write the whole net into one file, as `write_model` does; returns its size in bytes. Raises DataError."""
    return write_model(path, graph, fill, install)
