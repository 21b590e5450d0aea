"""Runs the proof: the generated source and the written file, nothing else, on the same inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import torch
from netspec_runtime.device import Device
from netspec_runtime.model_file import read_model
from netspec_runtime.session import Session, open_session
from netspec_runtime.weights import map_weights
from numpy.typing import NDArray

from netspec.backends.onnx.metadata import mean_colour
from netspec.backends.onnx.outputs import with_outputs
from netspec.backends.torch import emit_module
from netspec.pipeline import Compiled
from netspec.proof.gradients import compare_gradients
from netspec.proof.inputs import proof_inputs
from netspec.proof.modules import TracedModule, load_classes, merged_module, split_module
from netspec.proof.parity import TOLERANCE, GradientParity, LayerParity, Parity
from netspec.spec.dump import spec_hash

Array = NDArray[np.float32]


@dataclass
class _Worst:
    """The largest errors of one layer so far."""

    magnitude: float = 0.0
    onnx: float = 0.0
    split: float = 0.0


@dataclass
class _Tally:
    layers: dict[str, _Worst] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    top1: int = 0


def prove(compiled: Compiled, model: Path) -> Parity:
    """Compare every layer of merged torch, split torch and onnxruntime; and gradients of merged and split.

    ``model`` is the merged ONNX file; all three use the weights that lie in it. Raises DataError if it cannot be read.
    """
    typed = compiled.typed
    names = [node.name for node in typed.nodes]
    source = emit_module(compiled.spec, compiled.merged, compiled.placed, trace=True)
    stored = map_weights(model)
    weights = {p.name: stored[p.name] for p in typed.parameters}
    merged_class, split_class = load_classes(source, compiled.spec.name)
    merged = merged_module(merged_class, weights)
    split = split_module(split_class, weights) if split_class is not None else None
    opened = read_model(str(model))
    graph = with_outputs(opened.graph, names)
    session = open_session(graph, opened.path.parent, Device.CPU, prepack=False).session
    tally = _Tally({name: _Worst() for name in names})
    gradients: tuple[GradientParity, ...] = ()
    for labels, batch in proof_inputs(typed.input.shape, mean_colour(compiled.spec)):
        _compare(tally, labels, batch, merged, split, session, typed.outputs)
        if split is not None and not gradients:
            rows = vars(split_class)["ROWS"]
            gradients = compare_gradients(merged, split, rows, torch.from_numpy(batch), typed.outputs)
    layers = tuple(
        LayerParity(n.name, n.shape.dims, w.magnitude, w.onnx, w.split if split is not None else None)
        for n, w in zip(typed.nodes, tally.layers.values(), strict=True)
    )
    versions = (("torch", torch.__version__), ("onnxruntime", onnxruntime.__version__), ("numpy", np.__version__))
    return Parity(spec_hash(compiled.spec), tuple(tally.inputs), layers, gradients, tally.top1, versions)


def _compare(
    tally: _Tally,
    labels: tuple[str, str],
    batch: Array,
    merged: TracedModule,
    split: TracedModule | None,
    session: Session,
    outputs: tuple[str, ...],
) -> None:
    """One batch through all of them."""
    with torch.no_grad():
        reference = {name: value.numpy() for name, value in merged(torch.from_numpy(batch)).items()}
        parts = split(torch.from_numpy(batch)) if split is not None else {}
    names = list(tally.layers)
    answers = session.run(names, {session.get_inputs()[0].name: batch})
    for name, answer in zip(names, answers, strict=True):
        worst, wanted = tally.layers[name], reference[name]
        finite = wanted[np.isfinite(wanted)]
        worst.magnitude = max(worst.magnitude, float(np.abs(finite).max(initial=0.0)))
        worst.onnx = max(worst.onnx, relative_error(wanted, answer))
        if split is not None:
            worst.split = max(worst.split, relative_error(wanted, parts[name].numpy()))
    result = dict(zip(names, answers, strict=True))
    tally.inputs += labels
    tally.top1 += sum(all(_same_top1(reference[o][i], result[o][i]) for o in outputs) for i in range(len(batch)))


def relative_error(wanted: Array, found: Array) -> float:
    """The largest difference over the largest magnitude; inf where shapes differ or only one is a number."""
    if wanted.shape != found.shape or not np.array_equal(np.isfinite(wanted), np.isfinite(found)):
        return float("inf")
    finite = np.isfinite(wanted)
    if not np.array_equal(wanted[~finite], found[~finite], equal_nan=True):
        return float("inf")
    apart = float(np.abs(wanted[finite].astype(np.float64) - found[finite]).max(initial=0.0))
    size = float(np.abs(wanted[finite]).max(initial=0.0))
    return apart / size if size else apart


def _same_top1(wanted: Array, found: Array) -> bool:
    """Whether the largest output is the same, or so nearly a tie that rounding decides."""
    a, b = wanted.reshape(-1), found.reshape(-1)
    if not np.isfinite(a).all():
        return True
    gap = float(a.max() - a[int(b.argmax())])
    return gap <= TOLERANCE * float(np.abs(a).max())

