"""Imported nets compute what the original does: every layer, in float64 with torch, and in onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

from netspec.importers.cuda_convnet.net import CudaConvnetOptions, read_cuda_convnet
from netspec.importers.cuda_convnet.types import LAYER_KINDS
from netspec.importers.remark import Imported
from netspec.layers.conv import Conv
from netspec.pipeline import compile_spec
from netspec.source import Source
from netspec.weights import tied_names
from tests.conformance.agreement import first_difference, largest_difference
from tests.conformance.forms import Forms, doubled, run_onnx, run_torch
from tests.importers.cuda_convnet import original
from tests.importers.cuda_convnet.nets import NETS, Net
from tests.reference.cuda_convnet import Image

NEVER_COMPUTED = {"sum"}  # no source has it


def imported(net: Net) -> Imported:
    files = Source("net.cfg", net.definition), Source("params.cfg", net.params)
    return read_cuda_convnet(*files, CudaConvnetOptions(size=net.size))


def drawn_connections(done: Imported) -> dict[str, list[tuple[int, ...]]]:
    """What was drawn for each layer and input."""
    drawn = {}
    for name, layer in done.spec.layers.items():
        if isinstance(layer, Conv):
            drawn[name] = [layer.connections_of(number) or () for number in range(len(layer.inputs))]
    return drawn


def test_the_nets_have_every_type() -> None:
    types = {options["type"] for net in NETS.values() for options in original.read(net.definition).values()}
    assert {kind for kind in types if kind in LAYER_KINDS} == set(LAYER_KINDS) - NEVER_COMPUTED


@pytest.mark.parametrize("year", NETS)
def test_every_layer_computes_what_the_original_does(year: str) -> None:
    net = NETS[year]
    done = imported(net)
    forms = Forms(compile_spec(done.spec))
    weights, batch = doubled(forms.weights()), forms.inputs(batch=1).astype(np.float64) / 4 + 0.5
    ours = run_torch(forms.merged(weights), batch) | {"data": batch}
    all_weights = weights | {tied: weights[owner] for tied, owner in tied_names(forms.net.typed).items()}
    wanted = original.run(net.definition, net.params, batch[0], all_weights, drawn_connections(done))
    compared = set()
    for origin in done.origins:
        if origin.layer and origin.type != "data":
            value: Image = ours[origin.layer][0]
            expected = wanted[origin.name]
            assert value.shape == expected.shape, origin.name
            assert largest_difference(value, expected) < 1e-11, origin.name
            compared.add(origin.name)
    assert len(compared) == len(original.read(net.definition)) - 3  # pictures, labels, cost


@pytest.mark.parametrize("year", NETS)
def test_onnx_computes_it_too(year: str) -> None:
    forms = Forms(compile_spec(imported(NETS[year]).spec))
    weights, batch = forms.weights(), forms.inputs(batch=1) / 4 + np.float32(0.5)
    exact = run_torch(forms.merged(doubled(weights)), batch.astype(np.float64))
    found = run_onnx(forms.onnx(weights, "native"), forms.names, batch)
    assert not first_difference(found, run_torch(forms.merged(weights), batch), exact)
