"""Every layer type that OpenCV's Caffe importer knows: the same numbers for the same files.

It does not know LRN's `k`, Bias, Clip, Log, and neither phases nor data: those are tested elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.syntax.reader import read_source
from tests.importers.caffe.opencv import Shapes, opencv_values, our_values, pairs_of, random_blobs, write_caffemodel

CHANNELS, HEIGHT, WIDTH = 4, 9, 12
INPUT = f'input: "data" input_dim: 2 input_dim: {CHANNELS} input_dim: {HEIGHT} input_dim: {WIDTH}\n'


@dataclass(frozen=True)
class Case:
    """Layers that read `data`, and the shapes of their blobs."""

    text: str
    shapes: Shapes = field(default_factory=dict)
    positive: tuple[str, ...] = ()  # layers whose blobs are variances and the like


def layer(name: str, type: str, bottom: str = "data", more: str = "", top: str = "") -> str:
    bottoms = " ".join(f'bottom: "{one}"' for one in bottom.split())
    tops = " ".join(f'top: "{one}"' for one in (top or name).split())
    return f'layer {{ name: "{name}" type: "{type}" {bottoms} {tops} {more} }}\n'


def conv(name: str, more: str, bottom: str = "data") -> str:
    return layer(name, "Convolution", bottom, f"convolution_param {{ {more} }}")


def pool(more: str) -> str:
    return layer("pool", "Pooling", more=f"pooling_param {{ {more} }}")


BATCH_NORM = layer("norm", "BatchNorm", "conv", "batch_norm_param { eps: 0.001 }", top="conv")
SCALE = layer("scale", "Scale", "conv", "scale_param { bias_term: true }", top="conv")
PLAIN_CONV = conv("conv", "num_output: 6 kernel_size: 3 pad: 1")
NORM_SHAPES = {"norm": [(6,), (6,), (1,)]}

CASES = {
    "conv": Case(conv("c", "num_output: 6 kernel_size: 3 pad: 1 stride: 2"), {"c": [(6, 4, 3, 3), (6,)]}),
    "conv-groups": Case(conv("c", "num_output: 6 kernel_size: 3 group: 2"), {"c": [(6, 2, 3, 3), (6,)]}),
    "conv-depthwise": Case(
        conv("c", "num_output: 4 kernel_size: 3 group: 4 bias_term: false"), {"c": [(4, 1, 3, 3)]}
    ),
    "conv-sides": Case(
        conv("c", "num_output: 5 kernel_h: 3 kernel_w: 5 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 2"),
        {"c": [(5, 4, 3, 5), (5,)]},
    ),
    "conv-dilated": Case(conv("c", "num_output: 5 kernel_size: 3 dilation: 2 pad: 2"), {"c": [(5, 4, 3, 3), (5,)]}),
    "conv-relu": Case(PLAIN_CONV + layer("relu", "ReLU", "conv", top="conv"), {"conv": [(6, 4, 3, 3), (6,)]}),
    "relu-not-in-place": Case(
        PLAIN_CONV + layer("relu", "ReLU", "conv") + layer("sum", "Eltwise", "conv relu"),
        {"conv": [(6, 4, 3, 3), (6,)]},
    ),
    "deconv": Case(
        layer("d", "Deconvolution", more="convolution_param { num_output: 6 kernel_size: 4 stride: 2 pad: 1 }"),
        {"d": [(4, 6, 4, 4), (6,)]},
    ),
    "deconv-groups": Case(
        layer("d", "Deconvolution", more="convolution_param { num_output: 6 kernel_size: 3 stride: 2 group: 2 }"),
        {"d": [(4, 3, 3, 3), (6,)]},
    ),
    "inner-product": Case(
        layer("fc", "InnerProduct", more="inner_product_param { num_output: 7 }"), {"fc": [(7, 432), (7,)]}
    ),
    "inner-product-twice": Case(
        layer("fc1", "InnerProduct", more="inner_product_param { num_output: 7 bias_term: false }")
        + layer("sig", "Sigmoid", "fc1", top="fc1")
        + layer("fc2", "InnerProduct", "fc1", "inner_product_param { num_output: 3 }"),
        {"fc1": [(7, 432)], "fc2": [(3, 7), (3,)]},
    ),
    "pool-max": Case(pool("kernel_size: 3 stride: 2")),
    "pool-max-hanging": Case(pool("kernel_size: 4 stride: 3")),
    "pool-max-padded": Case(pool("kernel_size: 3 stride: 2 pad: 1")),
    "pool-ave": Case(pool("pool: AVE kernel_size: 3 stride: 2")),
    "pool-ave-padded": Case(pool("pool: AVE kernel_size: 3 stride: 2 pad: 1")),
    "pool-ave-clipped": Case(pool("pool: AVE kernel_size: 3 stride: 3 pad: 1")),
    "pool-sides": Case(pool("pool: MAX kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_w: 1 pad_h: 0")),
    "pool-global-ave": Case(pool("pool: AVE global_pooling: true")),
    "pool-global-max": Case(pool("pool: MAX global_pooling: true")),
    "lrn": Case(layer("n", "LRN", more="lrn_param { local_size: 3 alpha: 2 beta: 0.75 }")),
    "lrn-wide": Case(layer("n", "LRN", more="lrn_param { local_size: 5 alpha: 0.5 beta: 0.6 }")),
    "lrn-within": Case(
        layer("n", "LRN", more="lrn_param { local_size: 3 alpha: 2 beta: 0.75 norm_region: WITHIN_CHANNEL }")
    ),
    "relu": Case(layer("r", "ReLU")),
    "relu-leaky": Case(layer("r", "ReLU", more="relu_param { negative_slope: 0.1 }")),
    "sigmoid": Case(layer("s", "Sigmoid")),
    "tanh": Case(layer("t", "TanH")),
    "absval": Case(layer("a", "AbsVal")),
    "bnll": Case(layer("b", "BNLL")),
    "elu": Case(layer("e", "ELU")),
    "power": Case(layer("p", "Power", more="power_param { power: 2 scale: 0.5 shift: 3 }")),
    "power-linear": Case(layer("p", "Power", more="power_param { scale: -0.5 shift: 3 }")),
    "power-cube": Case(layer("p", "Power", more="power_param { power: 3 }")),
    "prelu": Case(layer("p", "PReLU"), {"p": [(4,)]}),
    "dropout": Case(PLAIN_CONV + layer("drop", "Dropout", "conv", top="conv"), {"conv": [(6, 4, 3, 3), (6,)]}),
    "softmax": Case(
        layer("fc", "InnerProduct", more="inner_product_param { num_output: 7 }") + layer("prob", "Softmax", "fc"),
        {"fc": [(7, 432), (7,)]},
    ),
    "concat": Case(layer("r", "ReLU") + layer("t", "TanH") + layer("c", "Concat", "r t data")),
    "concat-old": Case(
        layer("r", "ReLU") + layer("t", "TanH") + layer("c", "Concat", "r t", "concat_param { concat_dim: 1 }")
    ),
    "slice": Case(
        layer("s", "Slice", more="slice_param { slice_point: 1 slice_point: 3 }", top="a b c")
        + layer("r", "ReLU", "b")
        + layer("j", "Concat", "c r a")
    ),
    "slice-even": Case(layer("s", "Slice", more="slice_param { axis: 1 }", top="a b") + layer("j", "Eltwise", "a b")),
    "split": Case(
        layer("sp", "Split", top="a b") + layer("r", "ReLU", "a") + layer("j", "Eltwise", "r b"),
    ),
    "eltwise-sum": Case(layer("r", "ReLU") + layer("j", "Eltwise", "r data", "eltwise_param { coeff: 2 coeff: -1 }")),
    "eltwise-prod": Case(layer("r", "TanH") + layer("j", "Eltwise", "r data", "eltwise_param { operation: PROD }")),
    "eltwise-max": Case(layer("r", "TanH") + layer("j", "Eltwise", "r data", "eltwise_param { operation: MAX }")),
    "flatten": Case(layer("f", "Flatten")),
    "reshape": Case(layer("r", "Reshape", more="reshape_param { shape { dim: 0 dim: 3 dim: -1 dim: 12 } }")),
    "reshape-flat": Case(layer("r", "Reshape", more="reshape_param { shape { dim: 0 dim: -1 } }")),
    "batch-norm": Case(PLAIN_CONV + BATCH_NORM, {"conv": [(6, 4, 3, 3), (6,)], **NORM_SHAPES}, ("norm",)),
    "batch-norm-scale": Case(
        PLAIN_CONV + BATCH_NORM + SCALE + layer("relu", "ReLU", "conv", top="conv"),
        {"conv": [(6, 4, 3, 3), (6,)], **NORM_SHAPES, "scale": [(6,), (6,)]},
        ("norm",),
    ),
    "scale": Case(PLAIN_CONV + SCALE, {"conv": [(6, 4, 3, 3), (6,)], "scale": [(6,), (6,)]}),
    "scale-no-bias": Case(
        PLAIN_CONV + layer("scale", "Scale", "conv"), {"conv": [(6, 4, 3, 3), (6,)], "scale": [(6,)]}
    ),
    "crop": Case(
        pool("kernel_size: 2 stride: 2") + layer("c", "Crop", "data pool", "crop_param { axis: 2 offset: 1 offset: 2 }")
    ),
    "crop-one-offset": Case(
        pool("kernel_size: 3 stride: 2") + layer("c", "Crop", "data pool", "crop_param { axis: 2 offset: 3 }")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_same_numbers_as_opencv(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    prototxt = tmp_path / "net.prototxt"
    prototxt.write_text(f'name: "small"\n{INPUT}{case.text}')
    blobs = random_blobs(case.shapes)
    for one in case.positive:
        blobs[one] = [np.abs(array) + np.float32(0.1) for array in blobs[one]]
    weights = write_caffemodel(tmp_path / "net.caffemodel", blobs) if blobs else None
    batch = np.random.default_rng(1).normal(0, 1, (2, CHANNELS, HEIGHT, WIDTH)).astype(np.float32)
    imported = read_caffe(read_source(prototxt), CaffeOptions(), weights)
    ours, pairs = our_values(imported, batch), pairs_of(imported)
    theirs = opencv_values(prototxt, weights, batch, list(pairs.values()))
    assert pairs
    for here, there in pairs.items():
        np.testing.assert_allclose(ours[here].ravel(), theirs[there].ravel(), atol=1e-4, rtol=1e-4, err_msg=here)
