"""Small nets on one, two and three devices, for tests that need a whole net. No expectations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netspec.backends.onnx.model import merged_graph, write_merged
from netspec.ir.lowering import LrnForm
from netspec.pipeline import Compiled, compile_spec
from netspec.spec.load import load_text

Array = NDArray[np.float32]

ONE = """
netspec: 1
name: one
about: A net on one device
input: {channels: 3, size: 16}
classes: 5
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 3, stride: 2, neuron: relu, init_w: 0.1}
  rnorm1: {type: rnorm, inputs: conv1, size: 3, alpha: 0.5}
  fc: {type: fc, inputs: rnorm1, outputs: 5, init_w: 0.1}
  probs: {type: softmax, inputs: fc}
"""

TWO = """
netspec: 1
name: two
about: A small AlexNet on two devices
input: {channels: 3, size: 20}
classes: 6
labels: [ant, bee, cat, dog, elk, fox]
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 5, stride: 2, round: ceil, gpu: [0, 1], neuron: relu, init_w: 0.1}
  rnorm1: {type: rnorm, inputs: conv1, size: 3, k: 2, alpha: 0.5, groups: 2}
  pool1: {type: pool, inputs: rnorm1, pool: max, size: 3, stride: 2}
  conv2: {type: conv, inputs: pool1, filters: 8, size: 3, pad: 1, groups: 2, neuron: relu, init_w: 0.1, init_b: 1}
  conv3: {type: conv, inputs: conv2, filters: 12, size: 3, pad: 1, neuron: relu, init_w: 0.1}
  fc4: {type: fc, inputs: conv3, outputs: 10, neuron: relu, init_w: 0.1}
  drop4: {type: dropout, inputs: fc4, rate: 0.5}
  fc5: {type: fc, inputs: drop4, outputs: 6, gpu: 0, init_w: 0.3}
  probs: {type: softmax, inputs: fc5}
data: {mean: [120, 110, 100]}
"""

# gpu 2 idles at first, gpu 0 at the end; `side` is read on three devices; LRN across parts needs a margin.
THREE = """
netspec: 1
name: three
input: {channels: 3, size: 12}
outputs: [probs, extra]
layers:
  left: {type: conv, inputs: data, filters: 6, size: 3, pad: 1, gpu: 0, neuron: relu, init_w: 0.2}
  right: {type: conv, inputs: data, filters: 6, size: 3, pad: 1, gpu: 1, neuron: relu, init_w: 0.2}
  side: {type: conv, inputs: left, filters: 6, size: 1, gpu: 1, init_w: 0.3}
  both: {type: concat, inputs: [side, right, left], gpu: 1}
  norm: {type: rnorm, inputs: both, size: 5, alpha: 0.3, gpu: [0, 1, 2]}
  sum: {type: eltsum, inputs: [left, side], gpu: [2, 0]}
  wide: {type: conv, inputs: [norm, sum], filters: 9, size: 3, gpu: [0, 1, 2], init_w: 0.1}
  extra: {type: fc, inputs: wide, outputs: 4, gpu: [2, 1], init_w: 0.05}
  fc: {type: fc, inputs: wide, outputs: 5, gpu: 2, init_w: 0.05}
  probs: {type: softmax, inputs: fc, gpu: 1}
"""

# A weight read by two layers, running statistics, and two inputs of one layer, on two devices.
TIED = """
netspec: 1
name: tied
input: {channels: 2, size: 8}
layers:
  conv1: {type: conv, inputs: data, filters: 4, size: 3, pad: 1, gpu: [0, 1], init_w: 0.2}
  norm1: {type: batchnorm, inputs: conv1, neuron: relu}
  conv2: {type: conv, inputs: norm1, filters: 4, size: 3, pad: 1, init_w: 0.2}
  conv3: {type: conv, inputs: conv2, filters: 4, size: 3, pad: 1, share_weights: conv2}
  fc1: {type: fc, inputs: [conv3, norm1], outputs: 6, neuron: abs, init_w: 0.1}
  fc2: {type: fc, inputs: fc1, outputs: 6, init_w: 0.5}
  fc3: {type: fc, inputs: fc2, outputs: 6, share_weights: fc2}
  probs: {type: softmax, inputs: fc3}
"""

# The owner of the weights is computed after the layer that shares them.
EARLY = """
netspec: 1
name: early
input: {channels: 4, size: 8}
layers:
  conv1: {type: conv, inputs: data, filters: 4, size: 3, pad: 1, gpu: [0, 1], share_weights: conv2, neuron: relu}
  conv2: {type: conv, inputs: conv1, filters: 4, size: 3, pad: 1, init_w: 0.2}
  fc1: {type: fc, inputs: conv2, outputs: 6, init_w: 0.1}
  fc2: {type: fc, inputs: fc1, outputs: 6, share_weights: fc3}
  fc3: {type: fc, inputs: fc2, outputs: 6, init_w: 0.4}
"""

# Every way to learn: what torch and ONNX have under other layouts, or not at all.
LEARNED = """
netspec: 1
name: learned
input: {channels: 3, size: 12}
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 3, pad: 1, gpu: [0, 1], init_w: 0.2}
  norm1: {type: batchnorm, inputs: conv1, affine: false}
  affine1: {type: affine, inputs: norm1}
  prelu1: {type: prelu, inputs: affine1}
  rnorm1: {type: rnorm, inputs: prelu1, size: 3, blocked: true, alpha: 0.1}
  sparse: {type: conv, inputs: rnorm1, filters: 8, size: 3, groups: 2, connections: [7, 0, 3, 2, 5, 4, 1, 6]}
  prelu2: {type: prelu, inputs: sparse, shared: true, gpu: 0}
  up: {type: deconv, inputs: prelu2, filters: 8, size: 4, stride: 2, pad: [1, 1, 3, 1], groups: 4, gpu: [0, 1]}
  local1: {type: local, inputs: up, filters: 4, size: 3, stride: 2, groups: 2, init_w: 0.2}
  fc1: {type: fc, inputs: local1, outputs: 12, groups: 2, neuron: relu, init_w: 0.1}
  fc2: {type: fc, inputs: [fc1, prelu2], outputs: 6, groups: 2, gpu: 0, init_w: 0.1}
  probs: {type: softmax, inputs: fc2}
"""

ALL = {"one": ONE, "two": TWO, "three": THREE, "tied": TIED, "early": EARLY, "learned": LEARNED}


def compiled(text: str) -> Compiled:
    return compile_spec(load_text(text))


def random_weights(net: Compiled, seed: int = 0) -> dict[str, Array]:
    """Something for every parameter; variances are positive, biases are not all the same."""
    random = np.random.default_rng(seed)
    made = {}
    for owned in net.typed.parameters:
        p = owned.parameter
        spread = (2 / p.fan_in) ** 0.5 if p.role == "weight" and len(p.dims) > 1 else 0.5
        values = random.normal(1 if p.path in ("weight", "running_var") and len(p.dims) == 1 else 0, spread, p.dims)
        made[owned.name] = (np.abs(values) + 0.1 if p.path == "running_var" else values).astype(np.float32)
    return made


def images(net: Compiled, count: int, seed: int = 1) -> Array:
    """Noise on the scale of pixels."""
    noise = np.random.default_rng(seed).normal(0, 60, (count, *net.typed.input.shape.dims))
    return noise.astype(np.float32)


def write_model(net: Compiled, folder: Path, weights: Mapping[str, Array], lrn: LrnForm = "fast") -> Path:
    """The merged ONNX file as `netspec build` writes it, with these weights."""

    def fill(arrays: dict[str, Array]) -> None:
        for name, array in arrays.items():
            array[...] = weights[name]

    path = folder / f"{net.spec.name}.onnx"
    write_merged(path, merged_graph(net.spec, net.merged, lrn, ()), fill)
    return path
