"""Nets with towers: samples and texts, and whether they compute the same in float64 once merged. No test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from netspec.backends.torch import emit_module
from netspec.importers.cuda_convnet.net import CudaConvnetOptions, read_cuda_convnet
from netspec.importers.remark import Imported, Origin
from netspec.importers.towers import merge_towers, merged_tensors
from netspec.ir.layer import Layer
from netspec.pipeline import Compiled, compile_spec
from netspec.proof.modules import load_classes, merged_module
from netspec.source import Source
from netspec.spec import Spec, load_text
from netspec.syntax.reader import read_source

Arrays = dict[str, NDArray[np.float64]]

EXACT = 1e-13  # of the largest number: float64, added up in another order
HEAD = """
conv1a: {type: conv, filters: 4, size: 3, inputs: data, gpu: 0, neuron: tanh}
conv1b: {type: conv, filters: 4, size: 3, inputs: data, gpu: 1, neuron: tanh}
"""
PARAMS = {"153": "170", "153-4gpu": "170-4gpu"}
_WIDTHS = re.compile(r"^(channels|filters|outputs)(\s*=\s*)([0-9, ]+)$", re.MULTILINE)


def sample(shared: Path, name: str, narrow: int = 1, size: int | None = None) -> Imported:
    """A sample net; with ``narrow`` every layer has so many times fewer channels, with ``size`` another input."""
    (path,) = (shared / "data" / "cuda-convnet").rglob(f"layers-{name}.cfg")
    definition = read_source(path)
    text = _WIDTHS.sub(lambda match: match[1] + match[2] + _divided(match[3], narrow), definition.text)
    params = read_source(path.with_name(f"layer-params-{PARAMS.get(name, name)}.cfg"))
    return read_cuda_convnet(Source(definition.name, text), params, CudaConvnetOptions(size=size))


def imported(layers: str, outputs: str = "") -> Imported:
    """A net of the language as if it had been imported: its layers, one a line, and what else the file says."""
    indented = "".join(f"  {line.strip()}\n" for line in layers.strip().splitlines())
    spec = load_text(f"netspec: 1\nname: towers\ninput: {{size: 12}}\n{outputs}\nlayers:\n{indented}")
    origins = (Origin(name, layer.type, spec.spans.key("layers", name), name) for name, layer in spec.layers.items())
    return Imported(spec, (), tuple(origins))


def _divided(numbers: str, narrow: int) -> str:
    widths = [int(number) for number in numbers.split(",")]
    return ",".join(str(width if width <= 3 else width // narrow) for width in widths)


def weights_of(spec: Spec) -> Arrays:
    """Random weights that let every layer's output vary, the same for the same spec."""
    random = np.random.default_rng(2012)
    typed = compile_spec(spec).typed
    drawn = {
        owned.name: random.standard_normal(owned.parameter.dims) / np.sqrt(np.prod(owned.parameter.dims[1:4]))
        for owned in typed.parameters
    }
    return {name: np.abs(tensor) if name.endswith("_var") else tensor for name, tensor in drawn.items()}


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


def assert_same_numbers(written: Imported) -> Imported:
    """The merged net. Outputs of all layers and gradients of all weights are those of the written one."""
    merged = merge_towers(written)
    assert any(now.layer != was.layer for was, now in zip(written.origins, merged.origins, strict=True))
    weights = weights_of(written.spec)
    before = compute(written.spec, weights)
    after = compute(merged.spec, merged_tensors(written.spec, weights))
    assert_close(by_merged_layer(before.outputs, written, merged), after.outputs)
    assert_close(merged_tensors(written.spec, before.gradients), after.gradients)
    assert_close({"by input": before.by_input}, {"by input": after.by_input})
    return merged


def by_merged_layer(outputs: Arrays, written: Imported, merged: Imported) -> Arrays:
    """The outputs of written layers, side by side in the order of their devices where they are one layer now."""
    devices = compile_spec(written.spec).placed.devices_of
    parts: dict[str, list[str]] = {}
    for was, now in zip(written.origins, merged.origins, strict=True):
        if was.layer in outputs and written.spec.layers[was.layer].type != "concat":
            parts.setdefault(now.layer, []).append(was.layer)
    for names in parts.values():
        names.sort(key=devices.__getitem__)
    return {name: np.concatenate([outputs[part] for part in names], axis=1) for name, names in parts.items()}


def assert_close(expected: Arrays, found: Arrays) -> None:
    assert expected
    for name, wanted in expected.items():
        largest = np.abs(wanted).max()
        assert largest > 1e-6, f"{name} is zero everywhere, which proves nothing"
        assert np.abs(found[name] - wanted).max() <= EXACT * largest, name


def said(merged: Imported) -> list[str]:
    return [remark.text for remark in merged.remarks]


def layers_of(text: str, outputs: str = "") -> dict[str, Layer]:
    """The merged layers of a net, once they compute the same."""
    return dict(assert_same_numbers(imported(HEAD + text, outputs)).spec.layers)
