"""Weights of Caffe layers: their forms, their names, and what does not match. OpenCV is asked elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.importers.remark import Imported
from netspec.source import Source
from netspec_runtime.errors import DataError
from tests.importers.caffe.google import message_class
from tests.importers.caffe.nets.text import conv_relu, deploy_input, fc, layer, pool
from tests.importers.caffe.opencv import Array, our_values, random_blobs, write_caffemodel

INPUT = 'name: "small"\n' + deploy_input(1, 3, 8, 8)
TWO = INPUT + conv_relu("conv1", "data", 6, 3) + fc("fc2", "conv1", 5)
SHAPES = {"conv1": [(6, 3, 3, 3), (6,)], "fc2": [(5, 216), (5,)]}


def read(text: str, weights: Path | None, **options: bool) -> Imported:
    return read_caffe(Source("small.prototxt", text), CaffeOptions(**options), weights)  # type: ignore[arg-type] # flags


def pictures(*shape: int) -> Array:
    return np.random.default_rng(7).normal(0, 1, shape).astype(np.float32)


def tensors(net: Imported) -> dict[str, Array]:
    return {name: np.array(array) for name, array in (net.tensors or {}).items()}


def test_names_and_values(tmp_path: Path) -> None:
    blobs = random_blobs(SHAPES)
    found = tensors(read(TWO, write_caffemodel(tmp_path / "w.caffemodel", blobs)))
    assert list(found) == ["conv1.weight", "conv1.bias", "fc2.weight", "fc2.bias"]
    for name, (weight, bias) in blobs.items():
        np.testing.assert_array_equal(found[f"{name}.weight"], weight)
        np.testing.assert_array_equal(found[f"{name}.bias"], bias)


def test_blobs_of_four_sizes(tmp_path: Path) -> None:
    blobs, message = random_blobs(SHAPES), message_class("NetParameter")()
    for name, arrays in blobs.items():
        own = message.layers.add(name=name, type=4 if name == "conv1" else 14, bottom=["x"], top=["y"])
        for array in arrays:
            sizes = (1,) * (4 - array.ndim) + array.shape
            own.blobs.add(num=sizes[0], channels=sizes[1], height=sizes[2], width=sizes[3], data=array.ravel())
    path = tmp_path / "old.caffemodel"
    path.write_bytes(message.SerializeToString())
    found = tensors(read(TWO, path))
    np.testing.assert_array_equal(found["fc2.weight"], blobs["fc2"][0])
    np.testing.assert_array_equal(found["conv1.bias"], blobs["conv1"][1])


def test_a_transposed_inner_product(tmp_path: Path) -> None:
    text = INPUT + layer("fc", "InnerProduct", "data", "fc", "inner_product_param { num_output: 5 transpose: true }")
    blobs = random_blobs({"fc": [(192, 5), (5,)]})
    net, batch = read(text, write_caffemodel(tmp_path / "w.caffemodel", blobs)), pictures(2, 3, 8, 8)
    wanted = batch.reshape(2, -1) @ blobs["fc"][0] + blobs["fc"][1]
    np.testing.assert_allclose(our_values(net, batch)["fc"], wanted, atol=1e-4)


def test_statistics_are_divided_by_their_weight_and_0_means_none(tmp_path: Path) -> None:
    text = INPUT + layer("norm", "BatchNorm", "data", "norm")
    for weight, factor in ((4.0, 0.25), (0.0, 0.0)):
        mean, variance = np.array([1, 2, 3], np.float32), np.array([4, 5, 6], np.float32)
        path = write_caffemodel(tmp_path / "w.caffemodel", {"norm": [mean, variance, np.array([weight], np.float32)]})
        found = tensors(read(text, path))
        assert list(found) == ["norm.running_mean", "norm.running_var"]
        np.testing.assert_array_equal(found["norm.running_mean"], mean * np.float32(factor))
        np.testing.assert_array_equal(found["norm.running_var"], variance * np.float32(factor))


@pytest.mark.parametrize("bias", [True, False])
def test_a_scale_with_a_bias_is_part_of_the_batch_norm_before(bias: bool, tmp_path: Path) -> None:
    options = "scale_param { bias_term: true }" if bias else ""
    text = INPUT + layer("norm", "BatchNorm", "data", "norm") + layer("scale", "Scale", "norm", "norm", options)
    blobs = random_blobs({"scale": [(3,), (3,)] if bias else [(3,)]})
    blobs["norm"] = [np.ones(3, np.float32), np.full(3, 2, np.float32), np.ones(1, np.float32)]
    net, batch = read(text, write_caffemodel(tmp_path / "w.caffemodel", blobs)), pictures(2, 3, 8, 8)
    assert list(net.spec.layers) == (["norm"] if bias else ["norm", "scale"])
    shift = blobs["scale"][1].reshape(3, 1, 1) if bias else 0
    wanted = (batch - 1) / np.sqrt(2 + 1e-5) * blobs["scale"][0].reshape(3, 1, 1) + shift
    np.testing.assert_allclose(our_values(net, batch)["norm" if bias else "scale"], wanted, atol=1e-5)


def test_bias_layers_and_weights_that_stay_apart(tmp_path: Path) -> None:
    text = INPUT + layer("bias", "Bias", "data", "bias") + layer("scale", "Scale", "bias", "scale")
    blobs = random_blobs({"bias": [(3,)], "scale": [(3,)]})
    net, batch = read(text, write_caffemodel(tmp_path / "w.caffemodel", blobs)), pictures(2, 3, 8, 8)
    wanted = (batch + blobs["bias"][0].reshape(3, 1, 1)) * blobs["scale"][0].reshape(3, 1, 1)
    np.testing.assert_allclose(our_values(net, batch)["scale"], wanted, atol=1e-5)


def test_one_slope_for_all_channels(tmp_path: Path) -> None:
    text = INPUT + layer("p", "PReLU", "data", "p", "prelu_param { channel_shared: true }")
    message = message_class("NetParameter")()
    message.layer.add(name="p").blobs.add(data=[0.3]).shape.SetInParent()
    path = tmp_path / "w.caffemodel"
    path.write_bytes(message.SerializeToString())
    batch = pictures(2, 3, 8, 8)
    wanted = np.where(batch > 0, batch, np.float32(0.3) * batch)
    np.testing.assert_allclose(our_values(read(text, path), batch)["p"], wanted, atol=1e-6)


def test_neurons_that_opencv_does_not_know() -> None:
    text = INPUT + layer("soft", "BNLL", "data", "soft")
    text += layer("log", "Log", "soft", "log", "log_param { base: 2 scale: 3 shift: 1 }")
    text += layer("clip", "Clip", "log", "clip", "clip_param { min: 0.5 max: 2 }")
    batch = pictures(2, 3, 8, 8)
    net = read(text, None)
    (last,) = {origin.layer for origin in net.origins if origin.name == "clip"}
    wanted = np.clip(np.log2(1 + 3 * np.log1p(np.exp(batch.astype(np.float64)))), 0.5, 2)
    np.testing.assert_allclose(our_values(net, batch)[last], wanted, atol=1e-5)


FOLDED = (
    INPUT
    + layer(
        "conv", "Convolution", "data", "conv", "convolution_param { num_output: 4 kernel_size: 3 bias_term: false }"
    )
    + layer("norm", "BatchNorm", "conv", "conv", "batch_norm_param { eps: 0.01 }")
    + layer("scale", "Scale", "conv", "conv", "scale_param { bias_term: true }")
    + layer("relu", "ReLU", "conv", "conv")
    + pool("pool", "conv", 2, 2)
)


def test_batch_norms_fold_into_the_convolution_before(tmp_path: Path) -> None:
    blobs = random_blobs({"conv": [(4, 3, 3, 3)], "scale": [(4,), (4,)], "norm": [(4,), (4,), (1,)]})
    blobs["norm"] = [np.abs(array) + np.float32(0.1) for array in blobs["norm"]]
    path, batch = write_caffemodel(tmp_path / "w.caffemodel", blobs), pictures(2, 3, 8, 8)
    live, folded = read(FOLDED, path), read(FOLDED, path, fold_batchnorm=True)
    assert list(live.spec.layers) == ["conv", "norm", "pool"]
    assert list(folded.spec.layers) == ["conv", "pool"]
    assert list(folded.tensors or ()) == ["conv.weight", "conv.bias"]
    assert {o.name: o.layer for o in folded.origins}["scale"] == "conv"
    np.testing.assert_allclose(our_values(folded, batch)["pool"], our_values(live, batch)["pool"], atol=1e-5)


def test_a_norm_that_cannot_fold_stays_with_a_remark(tmp_path: Path) -> None:
    alone = INPUT + layer("norm", "BatchNorm", "data", "norm")
    path = write_caffemodel(tmp_path / "w.caffemodel", {"norm": [np.ones(n, np.float32) for n in (3, 3, 1)]})
    net = read(alone, path, fold_batchnorm=True)
    assert list(net.spec.layers) == ["norm"]
    assert [remark.layer for remark in net.remarks if remark.topic == "fold"] == ["norm"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"conv1": None}, "`conv1` has no weights"),
        ({"conv1": None, "conv_1": SHAPES["conv1"]}, "`conv1` has no weights (did you mean `conv_1`?)"),
        ({"fc3": [(2, 5), (2,)]}, "`fc3` is no layer of the net"),
        ({"fc2": [(5, 215), (5,)]}, "blob 0 of `fc2` is 5x215, not 5x216"),
        ({"fc2": [(5, 216)]}, "`fc2` has 1 blob, not 2"),
        ({"conv1": [(6, 3, 3, 3), (7,)]}, "blob 1 of `conv1` is 7, not 6"),
        ({"conv1": [(6, 3, 3, 3), (6,), (1,)]}, "`conv1` has 3 blobs, not 2"),
        ({"relu_conv1": [(6,)]}, "`relu_conv1` has weights, but the net's ReLU takes none"),
    ],
)
def test_weights_that_are_not_the_net_s(
    change: dict[str, list[tuple[int, ...]] | None], reason: str, tmp_path: Path
) -> None:
    shapes = {name: own for name, own in {**SHAPES, **change}.items() if own is not None}
    path = write_caffemodel(tmp_path / "w.caffemodel", random_blobs(shapes))
    with pytest.raises(DataError) as caught:
        read(TWO, path)
    assert caught.value.where == str(path)
    assert reason in caught.value.reason


def test_auxiliary_layers_of_the_file_are_left_out_with_a_remark(tmp_path: Path) -> None:
    """As in the published GoogLeNet: its weights are those of training, its deploy file has one classifier."""
    net = message_class("NetParameter")(name="trained")
    for name, type, bottoms, tops in (
        ("conv1", "Convolution", ["data"], ["conv1"]),
        ("side", "InnerProduct", ["conv1"], ["side"]),
        ("side/loss", "SoftmaxWithLoss", ["side", "label"], ["side/loss"]),
        ("fc2", "InnerProduct", ["conv1"], ["fc2"]),
    ):
        net.layer.add(name=name, type=type, bottom=bottoms, top=tops)
    path = write_caffemodel(tmp_path / "w.caffemodel", random_blobs({**SHAPES, "side": [(2, 216), (2,)]}), net)
    found = read(TWO, path)
    assert list(found.tensors or ()) == ["conv1.weight", "conv1.bias", "fc2.weight", "fc2.bias"]
    assert [remark.layer for remark in found.remarks if "weights of `side`" in remark.text] == ["side"]


def test_a_caffemodel_alone_is_a_net(tmp_path: Path) -> None:
    """As Caffe saves it in training: a data layer, Split layers, costs."""
    net = message_class("NetParameter")(name="alone")
    data = net.layer.add(name="data", type="Data", top=["data", "label"])
    data.include.add(phase=0)
    data.transform_param.crop_size = 8
    conv = net.layer.add(name="conv1", type="Convolution", bottom=["data"], top=["conv1"])
    conv.convolution_param.num_output = 6
    conv.convolution_param.kernel_size.append(3)
    net.layer.add(name="relu", type="ReLU", bottom=["conv1"], top=["conv1"])
    net.layer.add(name="conv1_split", type="Split", bottom=["conv1"], top=["conv1_split_0", "conv1_split_1"])
    full = net.layer.add(name="fc2", type="InnerProduct", bottom=["conv1_split_0"], top=["fc2"])
    full.inner_product_param.num_output = 5
    side = net.layer.add(name="side", type="InnerProduct", bottom=["conv1_split_1"], top=["side"])
    side.inner_product_param.num_output = 5
    net.layer.add(name="sum", type="Eltwise", bottom=["fc2", "side"], top=["sum"])
    net.layer.add(name="loss", type="SoftmaxWithLoss", bottom=["sum", "label"], top=["loss"])
    path = write_caffemodel(tmp_path / "w.caffemodel", random_blobs({**SHAPES, "side": SHAPES["fc2"]}), net)
    found = read_caffe(None, weights=path)
    assert found.spec.name == "alone"
    assert {name: one.type for name, one in found.spec.layers.items()} == {
        "conv1": "conv",
        "fc2": "fc",
        "side": "fc",
        "sum": "eltsum",
        "prob": "softmax",
    }
    assert found.spec.layers["conv1"].neuron is not None
    assert found.spec.input.size == (8, 8)
    assert len(found.tensors or ()) == 6


def test_the_channels_that_weights_want(tmp_path: Path) -> None:
    text = (
        'layer { name: "data" type: "Data" top: "data" data_param { source: "x" } transform_param { crop_size: 8 } }'
        + layer("conv1", "Convolution", "data", "conv1", "convolution_param { num_output: 6 kernel_size: 3 }")
    )
    path = write_caffemodel(tmp_path / "w.caffemodel", random_blobs({"conv1": [(6, 1, 3, 3), (6,)]}))
    net = read(text, path)
    assert (net.spec.input.channels, net.spec.data.channels) == (1, "grey")


def test_weights_that_are_shared_are_the_same_in_the_file(tmp_path: Path) -> None:
    params = 'param { name: "w" } convolution_param { num_output: 3 kernel_size: 1 bias_term: false }'
    text = (
        INPUT + layer("one", "Convolution", "data", "one", params) + layer("two", "Convolution", "one", "two", params)
    )
    one = random_blobs({"one": [(3, 3, 1, 1)]})["one"]
    found = tensors(read(text, write_caffemodel(tmp_path / "w.caffemodel", {"one": one, "two": one})))
    assert list(found) == ["one.weight"]
    path = write_caffemodel(tmp_path / "w.caffemodel", {"one": one, "two": [one[0] + 1]})
    with pytest.raises(DataError, match="`two` uses the weights of `one`"):
        read(text, path)
