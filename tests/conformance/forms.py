"""A net in its forms: the generated PyTorch module, merged and split, and the ONNX file, run. It judges nothing.

Values are of every layer, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from netspec.backends.onnx.model import merged_graph, write_merged
from netspec.backends.onnx.outputs import with_outputs
from netspec.backends.onnx.split import split_graphs, write_split
from netspec.backends.torch import emit_module
from netspec.ir.lowering import LrnForm
from netspec.ir.parameter import Parameter
from netspec.pipeline import Compiled, compile_spec
from netspec.proof.modules import Rows, load_classes, rows_of
from netspec.spec.load import load_text
from netspec.weights import tied_names
from netspec_runtime.device import Device
from netspec_runtime.split import open_split

Floats = NDArray[Any]  # float32 or float64
Weights = dict[str, Floats]
Values = dict[str, Floats]

BATCH = 2


@dataclass(frozen=True)
class Forms:
    """A compiled net. The classes are traced: they return every layer's output by name."""

    net: Compiled

    @classmethod
    def of(cls, text: str) -> Forms:
        """Raises SpecError."""
        return cls(compile_spec(load_text(text)))

    @cached_property
    def source(self) -> str:
        return emit_module(self.net.spec, self.net.merged, self.net.placed, trace=True)

    @cached_property
    def classes(self) -> tuple[type[nn.Module], type[nn.Module] | None]:
        return load_classes(self.source, self.net.spec.name)

    @property
    def split_class(self) -> type[nn.Module]:
        assert self.classes[1] is not None, "the net is on one device"
        return self.classes[1]

    @property
    def rows(self) -> Rows:
        return rows_of(self.split_class)

    def merged(self, weights: Mapping[str, Floats]) -> nn.Module:
        """The module at test, in the precision of the weights."""
        module = self.classes[0]()
        state = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
        state |= {tied: state[owner] for tied, owner in tied_names(self.net.typed).items()}
        module.to(_dtype(weights)).load_state_dict(state)
        return module.eval()

    def split(self, weights: Mapping[str, Floats]) -> nn.Module:
        """The split module with all devices the CPU, loaded by its own ``load_merged``."""
        module = self.split_class(*["cpu"] * len(self.net.placed.devices)).to(_dtype(weights))
        state = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
        module.load_merged(state)  # type: ignore[operator]  # the generated class has it
        return module.eval()

    def inputs(self, seed: int = 0, batch: int = BATCH) -> Floats:
        random = np.random.default_rng(seed)
        return (2 * random.standard_normal((batch, *self.net.typed.input.shape.dims))).astype(np.float32)

    def weights(self, seed: int = 0) -> Weights:
        """Something for every parameter: nothing is 0 or 1, where an error could hide."""
        random = np.random.default_rng(seed)
        return {p.name: _numbers(p.parameter, random) for p in self.net.typed.parameters}

    def onnx(self, weights: Mapping[str, Floats], lrn: LrnForm) -> bytes:
        """The model file."""
        with TemporaryDirectory() as folder:
            return self._write(Path(folder) / "net.onnx", weights, lrn).read_bytes()

    def run_split_files(self, weights: Mapping[str, Floats], lrn: LrnForm, batch: Floats) -> Values:
        """The net's outputs, computed with one file a device."""
        with TemporaryDirectory() as folder:
            merged = self._write(Path(folder) / "net.onnx", weights, lrn)
            graphs = split_graphs(self.net.spec, self.net.placed, lrn, (), "")
            for name, graph in graphs.items():
                write_split(merged.with_name(name), graph, merged)
            return open_split(str(merged.with_name(next(iter(graphs)))), [Device.CPU]).run(batch)

    def _write(self, path: Path, weights: Mapping[str, Floats], lrn: LrnForm) -> Path:
        def fill(arrays: dict[str, Floats]) -> None:
            for name, array in arrays.items():
                array[...] = weights[name]

        write_merged(path, merged_graph(self.net.spec, self.net.merged, lrn, ()), fill)
        return path

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.net.typed.nodes]


def doubled(arrays: Mapping[str, Floats]) -> Weights:
    """The same numbers in float64."""
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def run_torch(module: nn.Module, batch: Floats) -> Values:
    """Every layer's output."""
    with torch.no_grad():
        values: dict[str, Tensor] = module(torch.from_numpy(batch))
    return {name: value.numpy() for name, value in values.items()}


def run_onnx(model: bytes, names: list[str], batch: Floats) -> Values:
    """Every layer's output in onnxruntime, on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(with_outputs(model, names), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: batch}
    return cast(Values, dict(zip(names, session.run(names, feed), strict=True)))


def _dtype(weights: Mapping[str, Floats]) -> torch.dtype:
    doubles = any(array.dtype == np.float64 for array in weights.values())
    return torch.float64 if doubles else torch.float32


def _numbers(parameter: Parameter, random: np.random.Generator) -> Floats:
    """Weights that keep the scale of what they read; variances are positive."""
    spread = parameter.fan_in**-0.5 if parameter.role == "weight" else 0.5
    noise = random.standard_normal(parameter.dims) * spread
    if parameter.path in ("running_var", "weight") and len(parameter.dims) == 1:
        noise = np.abs(noise) + 0.5
    return noise.astype(np.float32)
