"""Nets that processes cannot share as one process computes them are refused."""

from __future__ import annotations

import pytest

from netspec.backends.torch import emit_module
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text
from netspec_runtime.training.launch import MeshError, MeshShape
from netspec_runtime.training.net import LocalNet
from netspec_runtime.training.towers import check_statistics

TEXT = """
netspec: 1
name: normed
input: {channels: 3, size: 8}
layers:
  conv1: {type: conv, inputs: data, filters: 4, size: 3}
  norm1: {type: batchnorm, inputs: conv1, gpu: [0, 1]}
  fc2: {type: fc, inputs: norm1, outputs: 4, gpu: 0}
  norm2: {type: batchnorm, inputs: fc2}
"""


def net(text: str, devices: int = 1) -> LocalNet:
    made = compile_spec(load_text(text))
    return LocalNet(emit_module(made.spec, made.merged, made.placed), "Normed", ("cpu",) * devices)


@pytest.mark.parametrize("shape", [MeshShape(2, 1), MeshShape(2, 2), MeshShape(1, 2, trick=True)])
@pytest.mark.parametrize("devices", [1, 2])
def test_batch_normalisation_is_not_split_over_shares_of_a_batch(shape: MeshShape, devices: int) -> None:
    for text in (TEXT, TEXT.replace("type: batchnorm", "type: batchnorm, affine: false")):
        with pytest.raises(MeshError, match=r"batch normalisation \(norm1, norm2\) needs the whole batch at once"):
            check_statistics(net(text, devices), shape)


def test_towers_see_the_whole_batch() -> None:
    check_statistics(net(TEXT), MeshShape(1, 2))


def test_other_layers_take_shares() -> None:
    check_statistics(
        net(TEXT.replace("batchnorm", "flip").replace("  norm2: {type: flip, inputs: fc2}\n", "")), MeshShape(2, 1)
    )
