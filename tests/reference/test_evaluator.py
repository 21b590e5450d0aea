"""ONNX's own reference evaluator, onnxruntime and torch agree on a net with every layer type."""

from __future__ import annotations

from typing import get_args

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from netspec.backends.onnx.outputs import with_outputs
from netspec.ir.lowering import LrnForm
from netspec.ir.neuron import KINDS
from netspec.layers import LAYER_TYPES
from tests.conformance.agreement import first_difference
from tests.conformance.forms import Floats, Forms, Values, doubled, run_onnx, run_torch

EVERY_TYPE = """
netspec: 1
name: every-type
input: {channels: 3, size: [13, 12]}
layers:
  flip1: {type: flip, inputs: data}
  blur1: {type: blur, inputs: flip1, size: 3, stdev: 1.5}
  crop1: {type: crop, inputs: blur1, start: [1, 0], size: [12, 11]}
  yuv1: {type: rgb2yuv, inputs: crop1}
  lab1: {type: rgb2lab, inputs: yuv1, neuron: 'linear[0.01, 0]'}
  resize1: {type: resize, inputs: lab1, scale: 1.2}
  deconv1: {type: deconv, inputs: resize1, filters: 3, size: 3, stride: 2, pad: 1, dilation: 2}
  crop2: {type: crop, inputs: deconv1, size: [10, 9]}
  conv1: {type: conv, inputs: crop2, filters: 6, size: 3, stride: 2, round: ceil, pad: [1, 0, 1, 2], neuron: abs}
  rnorm1: {type: rnorm, inputs: conv1, size: 3, alpha: 0.5, k: 1, groups: 2}
  rnorm2: {type: rnorm, inputs: rnorm1, size: 3, alpha: 0.5, across: space, beta: 0.6}
  cnorm1: {type: cnorm, inputs: rnorm2, size: 3, alpha: 0.5}
  affine1: {type: affine, inputs: cnorm1}
  prelu1: {type: prelu, inputs: affine1}
  batch1: {type: batchnorm, inputs: prelu1, neuron: 'tanh[1.5, 0.7]'}
  conv2: {type: conv, inputs: [batch1, rnorm1], filters: 4, size: 3, pad: 1, groups: 2, neuron: 'brelu[2]'}
  local1: {type: local, inputs: batch1, filters: 4, size: 3, pad: 1, groups: 2, neuron: logistic}
  sum1: {type: eltsum, inputs: [conv2, local1], coefficients: [1, -0.5], neuron: 'linear[0.5, 1]'}
  max1: {type: eltmax, inputs: [sum1, local1, conv2], neuron: softrelu}
  both: {type: concat, inputs: [max1, batch1], neuron: 'drelu[0.8]'}
  high: {type: pool, inputs: both, pool: max, size: 3, stride: 2, start: -1}
  mean: {type: pool, inputs: both, pool: avg, size: 3, stride: 2, start: -1}
  strong: {type: pool, inputs: both, pool: maxabs, size: 3, stride: 2, start: -1}
  total: {type: pool, inputs: both, pool: sum, size: 3, stride: 2, start: -1, neuron: square}
  upper: {type: slice, inputs: both, start: 2, channels: 5}
  product: {type: eltprod, inputs: [local1, conv2, sum1]}
  windows: {type: cmpool, inputs: upper, size: 3, stride: 2, start: -1}
  row: {type: flatten, inputs: windows}
  other: {type: reshape, inputs: product, shape: [0, -1, 2]}
  bent: {type: neuron, inputs: total, neuron: 'leaky[-0.3]'}
  cut: {type: neuron, inputs: total, neuron: 'clip[0.5, 2]'}
  soft: {type: neuron, inputs: conv2, neuron: softplus}
  root: {type: neuron, inputs: soft, neuron: 'power[-1.5, 2, 0.5]'}
  smooth: {type: neuron, inputs: both, neuron: 'elu[0.7]'}
  nails: {type: nailbed, inputs: both, stride: 2}
  whole: {type: pool, inputs: both, pool: avg, size: global}
  active: {type: neuron, inputs: local1, neuron: sqrt}
  logs: {type: neuron, inputs: local1, neuron: 'log[0.1]'}
  more: {type: fc, inputs: [row, other, bent, cut, root, smooth], outputs: 7, neuron: relu}
  fc1: {type: fc, inputs: [high, mean, strong, total, nails, whole, active, logs, more], outputs: 7, neuron: relu}
  drop1: {type: dropout, inputs: fc1, rate: 0.3}
  fc2: {type: fc, inputs: drop1, outputs: 5}
  probs: {type: softmax, inputs: fc2}
"""


@pytest.fixture(scope="module")
def forms() -> Forms:
    return Forms.of(EVERY_TYPE)


def test_the_net_has_everything(forms: Forms) -> None:
    layers = [node.layer for node in forms.net.typed.nodes]
    assert {layer.type for layer in layers} == set(LAYER_TYPES)
    assert {layer.neuron.kind for layer in layers if layer.neuron} == set(KINDS)


@pytest.mark.parametrize("lrn", get_args(LrnForm))
def test_three_runtimes_agree(forms: Forms, lrn: LrnForm) -> None:
    weights, batch = forms.weights(), forms.inputs()
    model = forms.onnx(weights, lrn)
    wanted = run_torch(forms.merged(weights), batch)
    exact = run_torch(forms.merged(doubled(weights)), batch.astype(np.float64))
    assert not first_difference(run_onnx(model, forms.names, batch), wanted, exact)
    assert not first_difference(_run_reference(model, forms.names, batch), wanted, exact)


class LRN(OpRun):
    """As the standard defines it: onnx 1.23's own loops over the images where it means the channels."""

    def _run(self, x: Floats, alpha: float, beta: float, bias: float, size: int) -> tuple[Floats]:
        before, after = (size - 1) // 2, size // 2
        channels = x.shape[1]
        sums = [(x[:, max(0, c - before) : c + after + 1] ** 2).sum(axis=1) for c in range(channels)]
        return ((x / (bias + alpha / size * np.stack(sums, axis=1)) ** beta).astype(x.dtype),)


def _run_reference(model: bytes, names: list[str], batch: Floats) -> Values:
    """Every layer's output by the definition of each operator."""
    evaluator = ReferenceEvaluator(onnx.ModelProto.FromString(with_outputs(model, names)), new_ops=[LRN])
    return {name: np.asarray(value) for name, value in zip(names, evaluator.run(names, {"data": batch}), strict=True)}
