"""Runs the proof: the generated source and the written file, nothing else, on the same inputs.

Each run maps the weights anew and lets them go, so that torch and onnxruntime never hold them at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray

from netspec.backends.onnx.metadata import colour_scale
from netspec.backends.onnx.outputs import with_outputs
from netspec.backends.torch import emit_module
from netspec.ir.graph import TypedGraph
from netspec.pipeline import Compiled
from netspec.proof.gradients import compare_gradients
from netspec.proof.inputs import proof_inputs
from netspec.proof.modules import Values as ModuleValues
from netspec.proof.modules import load_classes, merged_module, rows_of, split_module
from netspec.proof.parity import TOLERANCE, GradientParity, LayerParity, Parity
from netspec.seen import Seen
from netspec.spec.dump import spec_hash
from netspec_runtime.device import Device
from netspec_runtime.model_file import read_graph
from netspec_runtime.session import open_session
from netspec_runtime.weights import map_weights

VANISHED = 1e-30
ROUNDED = float(np.finfo(np.float32).eps) / TOLERANCE  # of the largest number: what its sums' rounding may do

Array = NDArray[np.float32]
Values = dict[str, Array]


def prove(compiled: Compiled, model: Path, seen: Seen | None = None) -> Parity:
    """Compare every layer of merged torch, split torch and onnxruntime; and gradients of merged and split.

    ``model`` is the merged ONNX file; all three use the weights that lie in it. Raises DataError if it cannot be read.
    """
    typed = compiled.typed
    runner = _Runner(compiled, model)
    tally = _Tally({name: _Worst(sizes) for name, sizes in _measures(typed).items()}, typed.outputs)
    gradients: tuple[GradientParity, ...] = ()
    for labels, batch in proof_inputs(typed.input.shape, *colour_scale(compiled.spec, seen)):
        merged, split = runner.torch(batch)
        tally.add(labels, runner.onnx(batch), merged | {typed.input.name: batch}, split)
        gradients = gradients or runner.gradients(batch[:1])
    layers = tuple(
        LayerParity(n.name, n.shape.dims, w.magnitude, w.onnx, w.split if runner.split_class else None)
        for n, w in zip(typed.nodes, tally.layers.values(), strict=True)
    )
    versions = (("torch", torch.__version__), ("onnxruntime", onnxruntime.__version__), ("numpy", np.__version__))
    return Parity(spec_hash(compiled.spec), tuple(tally.inputs), layers, gradients, tally.top1, versions)


class _Runner:
    """The three forms of a net, each over the weights of one file."""

    def __init__(self, compiled: Compiled, model: Path) -> None:
        self.typed, self.model = compiled.typed, model
        self.merged_class, self.split_class = self._classes(compiled, trace=True)
        self.delivered = self._classes(compiled, trace=False)

    @staticmethod
    def _classes(compiled: Compiled, *, trace: bool) -> tuple[type[torch.nn.Module], type[torch.nn.Module] | None]:
        source = emit_module(compiled.spec, compiled.merged, compiled.placed, trace=trace)
        return load_classes(source, compiled.spec.name)

    def onnx(self, batch: Array) -> Values:
        """Every layer's output in onnxruntime."""
        names = [node.name for node in self.typed.nodes]
        opened = read_graph(str(self.model))
        graph = with_outputs(opened.graph, names)
        session = open_session(graph, opened.path.parent, Device.CPU, prepack=False).session
        return dict(zip(names, session.run(names, {self.typed.input.name: batch}), strict=True))

    def torch(self, batch: Array) -> tuple[Values, Values]:
        """Every layer's output in merged and in split torch (empty for one device).

        The net's outputs are those of the module as it is delivered, which returns nothing else.
        """
        weights, image = self._weights(), torch.from_numpy(batch)
        merged_class, split_class = self.delivered
        with torch.no_grad():
            merged = merged_module(self.merged_class, weights)(image)
            merged |= self._outputs(merged_module(merged_class, weights)(image))
            split = split_module(self.split_class, weights)(image) if self.split_class else {}
            split |= self._outputs(split_module(split_class, weights)(image)) if split_class else {}
        return {n: v.numpy() for n, v in merged.items()}, {n: v.numpy() for n, v in split.items()}

    def _outputs(self, found: object) -> ModuleValues:
        """What a delivered module returned, by name."""
        values = found if isinstance(found, tuple) else (found,)
        return {n: value.cpu() for n, value in zip(self.typed.outputs, values, strict=True)}

    def gradients(self, batch: Array) -> tuple[GradientParity, ...]:
        """Merged against split; nothing for one device."""
        if self.split_class is None:
            return ()
        weights = self._weights()
        merged, split = merged_module(self.merged_class, weights), split_module(self.split_class, weights)
        outputs = {}
        for node in (self.typed.by_name[name] for name in self.typed.outputs):
            outputs[node.name] = node.layer.type == "softmax"
            if outputs[node.name]:  # its input too: a sure softmax has no gradient
                outputs |= {name: False for name in node.layer.inputs if name in self.typed.by_name}
        return compare_gradients(merged, split, rows_of(self.split_class), torch.from_numpy(batch), outputs)

    def _weights(self) -> Values:
        stored = map_weights(self.model)
        return {p.name: stored[p.name] for p in self.typed.parameters}


@dataclass
class _Worst:
    """The largest errors of one layer so far; in it shows the rounding of the values ``measures``."""

    measures: tuple[str, ...] = ()
    magnitude: float = float("nan")
    onnx: float = 0.0
    split: float = 0.0


@dataclass
class _Tally:
    layers: dict[str, _Worst]
    outputs: tuple[str, ...]
    inputs: list[str] = field(default_factory=list)
    top1: int = 0

    def add(self, labels: tuple[str, ...], found: Values, wanted: Values, split: Values) -> None:
        """Count one batch in; ``wanted`` has the net's input too."""
        for name, worst in self.layers.items():
            finite = wanted[name][np.isfinite(wanted[name])]
            worst.magnitude = float(np.fmax.reduce(np.abs(finite), initial=worst.magnitude))
            sizes = [wanted[other] for other in worst.measures]
            worst.onnx = max(worst.onnx, relative_error(wanted[name], found[name], sizes))
            if split:
                worst.split = max(worst.split, relative_error(wanted[name], split[name], sizes))
        self.inputs += labels
        for number in range(len(labels)):
            self.top1 += all(_same_top1(wanted[o][number], found[o][number]) for o in self.outputs)


def _measures(typed: TypedGraph) -> dict[str, tuple[str, ...]]:
    """For each layer the names of values whose rounding shows in it, though its own size does not tell theirs.

    Pixels of 1e4 make sums of thousands. Where such a sum is near 0, tanh shows its rounding beside a largest value
    of 1, and two sums in another order seem to disagree. A layer without weights hands that on.
    """
    found: dict[str, tuple[str, ...]] = {}
    for node in typed.nodes:
        neuron, inputs = node.layer.neuron, node.layer.inputs
        rounded = inputs if neuron is not None and neuron.bounded else ()
        handed = () if node.parameters else tuple(name for read in inputs for name in found.get(read, ()))
        found[node.name] = (*rounded, *handed)
    return found


def relative_error(wanted: Array, found: Array, sizes: Sequence[Array] = ()) -> float:
    """The largest of the images [N, ...]; inf where shapes differ. ``sizes``: values whose rounding may show."""
    if wanted.shape != found.shape:
        return float("inf")
    least = [ROUNDED * max((_largest(v[i][np.isfinite(v[i])]) for v in sizes), default=0.0) for i in range(len(wanted))]
    return max(map(_image_error, wanted, found, least), default=0.0)


def _largest(numbers: Array) -> float:
    """Their largest magnitude; 0 for none."""
    return float(np.abs(numbers).max(initial=0.0))


def _image_error(wanted: Array, found: Array, least: float) -> float:
    """The largest difference over the largest magnitude, or ``least`` if more; inf where only one is a number.

    Below VANISHED, where float32 has no relative precision left, the difference counts as it is.
    """
    if not np.array_equal(np.isfinite(wanted), np.isfinite(found)):
        return float("inf")
    finite = np.isfinite(wanted)
    if not np.array_equal(wanted[~finite], found[~finite], equal_nan=True):
        return float("inf")
    apart = _largest(wanted[finite] - found[finite])
    size = max(_largest(wanted[finite]), least)
    return apart / size if size > VANISHED else apart


def _same_top1(wanted: Array, found: Array) -> bool:
    """Whether the largest output is the same, or so nearly a tie that rounding decides."""
    a, b = wanted.reshape(-1), found.reshape(-1)
    if not np.isfinite(a).all():
        return True
    gap = float(a.max() - a[int(b.argmax())])
    return gap <= TOLERANCE * float(np.abs(a).max())
