"""Whole nets with random weights: every layer has the numbers that OpenCV's Caffe importer gives for the same files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.pipeline import compile_spec
from netspec.syntax.reader import read_source
from tests.importers.caffe.nets import googlenet, imagenet, small
from tests.importers.caffe.nets.residual import residual
from tests.importers.caffe.opencv import Array, opencv_values, our_values, pairs_of, write_caffemodel

NETS: dict[str, Callable[[], str]] = {
    "lenet-2013": small.lenet_oldest,
    "residual": residual,
    "nin": imagenet.nin_deploy,
    "googlenet": googlenet.deploy,
}


def weights_of(prototxt: Path) -> dict[str, list[Array]]:
    """Blobs that keep magnitudes near 1 through the layers; those of batch norms are above 0."""
    imported = read_caffe(read_source(prototxt))
    owners = {origin.layer: origin.name for origin in reversed(imported.origins)}
    random, blobs = np.random.default_rng(5), dict[str, list[Array]]()
    for owned in compile_spec(imported.spec).typed.parameters:
        dims, layer = owned.parameter.dims, imported.spec.layers[owned.name.partition(".")[0]].type
        if layer == "batchnorm":
            continue
        spread = np.sqrt(2 / np.prod(dims[1:])) if len(dims) > 1 else 0.1
        blobs.setdefault(owners[owned.name.partition(".")[0]], []).append(
            random.normal(0, spread, dims).astype(np.float32)
        )
    for origin in imported.origins:
        channels = compile_spec(imported.spec).typed.shape(origin.layer).channels if origin.layer else 0
        if origin.type in ("BatchNorm", "Scale"):
            shapes = [(channels,), (channels,), (1,)][: 3 if origin.type == "BatchNorm" else 2]
            blobs[origin.name] = [random.uniform(0.5, 1, shape).astype(np.float32) for shape in shapes]
    return blobs


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_every_layer(name: str, tmp_path: Path) -> None:
    prototxt = tmp_path / f"{name}.prototxt"
    prototxt.write_text(NETS[name]())
    weights = write_caffemodel(tmp_path / "net.caffemodel", weights_of(prototxt))
    imported = read_caffe(read_source(prototxt), CaffeOptions(), weights)
    shape = imported.spec.input.shape.dims
    batch = np.random.default_rng(6).normal(0, 1, (1, *shape)).astype(np.float32)
    ours, pairs = our_values(imported, batch), pairs_of(imported)
    theirs = opencv_values(prototxt, weights, batch, list(pairs.values()))
    for here, there in pairs.items():
        scale = max(np.abs(theirs[there]).max(), 1e-3)
        np.testing.assert_allclose(ours[here].ravel() / scale, theirs[there].ravel() / scale, atol=1e-4, err_msg=here)
