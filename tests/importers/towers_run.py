"""Samples of nets with towers, at full width or a narrow copy, and what a net computes in float64. No test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from netspec.backends.torch import emit_module
from netspec.importers.cuda_convnet.net import CudaConvnetOptions, read_cuda_convnet
from netspec.importers.remark import Imported
from netspec.pipeline import Compiled, compile_spec
from netspec.proof.modules import load_classes, merged_module
from netspec.source import Source
from netspec.spec import Spec
from netspec.syntax.reader import read_source

Arrays = dict[str, NDArray[np.float64]]

PARAMS = {"153": "170", "153-4gpu": "170-4gpu"}
_WIDTHS = re.compile(r"^(channels|filters|outputs)(\s*=\s*)([0-9, ]+)$", re.MULTILINE)


def sample(shared: Path, name: str, narrow: int = 1, size: int | None = None) -> Imported:
    """A sample net; with ``narrow`` every layer has so many times fewer channels, with ``size`` another input."""
    (path,) = (shared / "data" / "cuda-convnet").rglob(f"layers-{name}.cfg")
    definition = read_source(path)
    text = _WIDTHS.sub(lambda match: match[1] + match[2] + _divided(match[3], narrow), definition.text)
    params = read_source(path.with_name(f"layer-params-{PARAMS.get(name, name)}.cfg"))
    return read_cuda_convnet(Source(definition.name, text), params, CudaConvnetOptions(size=size))


def _divided(numbers: str, narrow: int) -> str:
    widths = [int(number) for number in numbers.split(",")]
    return ",".join(str(width if width <= 3 else width // narrow) for width in widths)


def weights_of(spec: Spec) -> Arrays:
    """Random weights that let every layer's output vary, the same for the same spec."""
    random = np.random.default_rng(2012)
    typed = compile_spec(spec).typed
    return {
        owned.name: random.standard_normal(owned.parameter.dims) / np.sqrt(np.prod(owned.parameter.dims[1:4]))
        for owned in typed.parameters
    }


@dataclass(frozen=True)
class Computed:
    """Every layer's output, and the gradients of a random sum of the net's outputs by weights and by the input."""

    outputs: Arrays
    gradients: Arrays
    by_input: NDArray[np.float64]


def compute(spec: Spec, weights: Arrays) -> Computed:
    """Forward and backward on two random pictures, as the generated module computes at test."""
    compiled = compile_spec(spec)
    source = emit_module(spec, compiled.merged, compiled.merged, trace=True)
    module = merged_module(load_classes(source, spec.name)[0], weights)  # type: ignore[arg-type]  # float64 here
    random = torch.Generator().manual_seed(4)
    pictures = torch.randn((2, *spec.input.shape.dims), dtype=torch.float64, generator=random, requires_grad=True)
    values = module(pictures)
    total = torch.zeros((), dtype=torch.float64)
    for name in _scores(compiled):
        total = total + (values[name] * torch.randn(values[name].shape, dtype=torch.float64, generator=random)).sum()
    total.backward()  # type: ignore[no-untyped-call]
    gradients = {name: _array(parameter.grad) for name, parameter in module.named_parameters()}
    return Computed({name: _array(value) for name, value in values.items()}, gradients, _array(pictures.grad))


def _scores(compiled: Compiled) -> tuple[str, ...]:
    """What the softmaxes at the end take: their own gradients are small."""
    nodes = (compiled.typed.by_name[name] for name in compiled.typed.outputs)
    return tuple(node.layer.inputs[0] if node.layer.type == "softmax" else node.name for node in nodes)


def _array(tensor: torch.Tensor | None) -> NDArray[np.float64]:
    assert tensor is not None
    array: NDArray[np.float64] = tensor.detach().numpy()
    assert array.dtype == np.float64
    return array
