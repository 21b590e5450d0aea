"""Caffe's pooling is `pool` with `round: ceil` and `count: padded`: sizes, divisors and the window that it drops."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conformance.forms import Forms, doubled, run_onnx, run_torch

Map = NDArray[np.float64]
GEOMETRIES = [(k, s, p) for k in (2, 3) for s in (1, 2, 3) for p in (0, 1, 2) if p < k]  # Caffe refuses pad >= kernel


def caffe_count(image: int, kernel: int, stride: int, pad: int) -> int:
    """How many windows along one axis: rounded up, and the last must start within image and left padding."""
    count = ceil((image + 2 * pad - kernel) / stride) + 1
    if pad and (count - 1) * stride >= image + pad:
        count -= 1
    return count


def caffe_pool(x: Map, method: str, kernel: int, stride: int, pad: int) -> Map:
    """One map. An average is divided by the window clipped to the padded image, a maximum is of the real pixels."""
    rows, columns = (caffe_count(image, kernel, stride, pad) for image in x.shape)
    y = np.zeros((rows, columns))
    for r, c in np.ndindex(rows, columns):
        top, left = r * stride - pad, c * stride - pad
        bottom, right = min(top + kernel, x.shape[0] + pad), min(left + kernel, x.shape[1] + pad)
        divisor = (bottom - top) * (right - left)
        window = x[max(top, 0) : min(bottom, x.shape[0]), max(left, 0) : min(right, x.shape[1])]
        y[r, c] = window.max() if method == "max" else window.sum() / divisor
    return y


def degenerate(image: int, kernel: int, stride: int, pad: int) -> bool:
    """Without padding, Caffe keeps a window wholly outside the image: nothing is in it, and its mean is 0 / 0."""
    return pad == 0 and (caffe_count(image, kernel, stride, pad) - 1) * stride >= image


def net(height: int, width: int) -> str:
    """Every pooling of Caffe as a layer, over one image."""
    entries = [
        f"  {method}_{k}_{s}_{p}: {{type: pool, inputs: data, pool: {method}, size: {k}, stride: {s}, pad: {p},"
        " round: ceil, count: padded}"
        for k, s, p in GEOMETRIES
        for method in ("max", "avg")
    ]
    names = ", ".join(entry.split(":")[0].strip() for entry in entries)
    head = f"netspec: 1\nname: net\ninput: {{channels: 2, size: [{height}, {width}]}}\noutputs: [{names}]\nlayers:\n"
    return head + "\n".join(entries)


@pytest.mark.parametrize("height", range(5, 10))
def test_pooling_as_caffe_does_it(height: int) -> None:
    width = 14 - height
    forms = Forms.of(net(height, width))
    batch = forms.inputs()
    exact = run_torch(forms.merged(doubled({})), batch.astype(np.float64))
    values = run_onnx(forms.onnx({}, "native"), forms.names, batch)
    for k, s, p in GEOMETRIES:
        if degenerate(height, k, s, p) or degenerate(width, k, s, p):
            continue
        for method in ("max", "avg"):
            wanted = np.array([[caffe_pool(x, method, k, s, p) for x in image] for image in batch.astype(np.float64)])
            np.testing.assert_allclose(exact[f"{method}_{k}_{s}_{p}"], wanted, rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(values[f"{method}_{k}_{s}_{p}"], wanted, rtol=1e-5, atol=1e-6)


def test_the_window_that_caffe_drops_is_among_them() -> None:
    """And so are divisors that neither the image nor the whole window would give."""
    dropped = [
        (image, *geometry)
        for image in range(5, 10)
        for geometry in GEOMETRIES
        if geometry[2] and caffe_count(image, *geometry) <= ceil((image + 2 * geometry[2] - geometry[0]) / geometry[1])
    ]
    assert len(dropped) >= 5
    ones = np.ones((6, 6))
    assert caffe_pool(ones, "avg", 3, 2, 1)[-1, -1] == 1 / 4
