"""Windows of all kinds: sizes and numbers of convolutions and pools are those that OpenCV has for the same text."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.syntax.reader import read_source
from tests.importers.caffe.nets.text import deploy_input, layer
from tests.importers.caffe.opencv import Shapes, opencv_values, our_values, random_blobs, write_caffemodel

IMAGES = st.tuples(st.integers(4, 13), st.integers(4, 13))
PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))


def compare(text: str, shapes: Shapes, image: tuple[int, int]) -> None:
    with TemporaryDirectory() as folder:
        prototxt = Path(folder) / "net.prototxt"
        prototxt.write_text(deploy_input(1, 4, *image) + text)
        weights = write_caffemodel(Path(folder) / "w.caffemodel", random_blobs(shapes)) if shapes else None
        imported = read_caffe(read_source(prototxt), CaffeOptions(), weights)
        batch = np.random.default_rng(2).normal(0, 1, (1, 4, *image)).astype(np.float32)
        theirs = opencv_values(prototxt, weights, batch, ["one"])["one"]
        ours = our_values(imported, batch)["one"]
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@given(st.sampled_from(["MAX", "AVE"]), PAIRS, PAIRS, st.tuples(st.integers(0, 3), st.integers(0, 3)), IMAGES)
def test_pools(
    method: str, size: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int], image: tuple[int, int]
) -> None:
    """Without windows that hold no pixel: Caffe reads past the image there."""
    assume(all(p < s and step <= s for p, s, step in zip(pad, size, stride, strict=True)))
    options = f"pool: {method} kernel_h: {size[0]} kernel_w: {size[1]} stride_h: {stride[0]} stride_w: {stride[1]}"
    options += f" pad_h: {pad[0]} pad_w: {pad[1]}"
    compare(layer("one", "Pooling", "data", "one", f"pooling_param {{ {options} }}"), {}, image)


@given(st.booleans(), PAIRS, PAIRS, st.integers(0, 3), st.integers(1, 2), st.sampled_from([1, 2, 4]), IMAGES)
def test_convolutions(
    up: bool,
    size: tuple[int, int],
    stride: tuple[int, int],
    pad: int,
    dilation: int,
    groups: int,
    image: tuple[int, int],
) -> None:
    reach = [dilation * (side - 1) + 1 for side in size]
    assume(all(r <= side + 2 * pad for r, side in zip(reach, image, strict=True)))
    assume(not up or (dilation == 1 and all(2 * pad < r for r in reach)))  # OpenCV ignores a deconvolution's dilation
    options = f"num_output: 8 kernel_h: {size[0]} kernel_w: {size[1]} stride_h: {stride[0]} stride_w: {stride[1]}"
    options += f" pad: {pad} dilation: {dilation} group: {groups}"
    type, weight = ("Deconvolution", (4, 8 // groups)) if up else ("Convolution", (8, 4 // groups))
    text = layer("one", type, "data", "one", f"convolution_param {{ {options} }}")
    compare(text, {"one": [(*weight, *size), (8,)]}, image)
