"""The nets that Caffe was known for: they import and compile, with the numbers of parameters that are published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netspec.diagnostics import SpecError
from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.importers.remark import Imported
from netspec.pipeline import compile_spec
from netspec.source import Source
from tests.importers.caffe.nets import googlenet, imagenet, small

GREY, LARGER = CaffeOptions(size=28, channels=1), CaffeOptions(size=32)
NETS: dict[str, tuple[Callable[[], str], CaffeOptions, int]] = {
    "alexnet-train": (imagenet.alexnet_train_val, CaffeOptions(), 60_965_224),
    "alexnet-deploy": (imagenet.alexnet_deploy, CaffeOptions(), 60_965_224),
    "caffenet-train": (lambda: imagenet.alexnet_train_val(norm_first=False), CaffeOptions(), 60_965_224),
    "caffenet-deploy": (lambda: imagenet.alexnet_deploy(norm_first=False), CaffeOptions(), 60_965_224),
    "googlenet-train": (googlenet.train_val, CaffeOptions(), 6_998_552),
    "googlenet-deploy": (googlenet.deploy, CaffeOptions(), 6_998_552),
    "nin": (imagenet.nin_deploy, CaffeOptions(), 7_595_176),
    "vgg16": (imagenet.vgg16_deploy, CaffeOptions(), 138_357_544),
    "lenet": (small.lenet_train_test, GREY, 431_080),
    "lenet-2013": (small.lenet_oldest, CaffeOptions(), 431_080),
    "cifar10-quick": (small.cifar10_quick, LARGER, 145_578),
    "cifar10-full": (small.cifar10_full, LARGER, 89_578),
}


def imported(name: str) -> Imported:
    text, options, _ = NETS[name]
    return read_caffe(Source(f"{name}.prototxt", text()), options)


@pytest.mark.parametrize("name", NETS)
def test_parameters(name: str) -> None:
    compiled = compile_spec(imported(name).spec)
    assert compiled.typed.parameter_count == NETS[name][2]
    assert len(compiled.typed.outputs) == 1
    assert not [remark for remark in imported(name).remarks if remark.kind == "lost"]


@pytest.mark.parametrize("name", ["alexnet", "caffenet", "googlenet"])
def test_training_and_use_are_the_same_net(name: str) -> None:
    train, deploy = imported(f"{name}-train").spec.layers, imported(f"{name}-deploy").spec.layers
    assert train == deploy


def test_the_order_of_norms_and_pools_is_kept() -> None:
    alexnet, caffenet = imported("alexnet-deploy").spec.layers, imported("caffenet-deploy").spec.layers
    assert alexnet["conv2"].inputs == ("pool1",)
    assert caffenet["conv2"].inputs == ("norm1",)


def test_the_sizes_of_alexnet() -> None:
    typed = compile_spec(imported("alexnet-deploy").spec).typed
    shapes = {name: typed.shape(name).dims for name in ("conv1", "pool1", "conv2", "pool2", "conv5", "pool5", "prob")}
    assert shapes == {
        "conv1": (96, 55, 55),
        "pool1": (96, 27, 27),
        "conv2": (256, 27, 27),
        "pool2": (256, 13, 13),
        "conv5": (256, 13, 13),
        "pool5": (256, 6, 6),
        "prob": (1000,),
    }


def test_what_training_says_about_pictures() -> None:
    spec = imported("alexnet-train").spec
    assert (spec.data.channels, spec.data.mirror, spec.data.resize, spec.data.crop) == ("bgr", True, 256, (227, 227))
    assert (spec.data.mean, spec.data.mean_color) == ("image", (104, 117, 123))
    assert spec.train.batch == 256
    assert spec.classes == 1000


def test_the_auxiliary_classifiers_of_googlenet_are_left_out_with_a_remark() -> None:
    net = imported("googlenet-train")
    said = [remark for remark in net.remarks if remark.topic == "cost" and remark.kind == "dropped"]
    assert [remark.layer for remark in said] == ["loss1/loss", "loss2/loss", "loss3/loss"]
    assert "of weight 0.3" in said[0].text
    assert "`loss1/fc`" in said[0].text
    gone = {origin.name for origin in net.origins if not origin.layer}
    assert {"loss1/ave_pool", "loss1/conv", "loss1/classifier", "loss2/fc", "loss3/loss", "loss1/top-5"} <= gone
    assert "loss3/classifier" not in gone


def test_both_forms_of_lenet_are_one_net() -> None:
    old, new = imported("lenet-2013").spec.layers, imported("lenet").spec.layers
    assert old == new


def test_the_scale_of_lenet_is_a_divisor() -> None:
    spec = imported("lenet").spec
    assert (spec.data.channels, spec.data.std, spec.data.mean) == ("grey", (256,), "none")


def test_the_decay_of_a_layer_is_its_multiple_of_the_solver_s() -> None:
    solver = Source("solver.prototxt", 'base_lr: 0.001 lr_policy: "fixed" weight_decay: 0.004 momentum: 0.9')
    net = read_caffe(Source("full.prototxt", small.cifar10_full()), LARGER, solver=solver)
    layer = net.spec.layers["ip1"]
    assert getattr(layer, "decay") == 1.0  # noqa: B009 - a key of some layers
    assert net.spec.train.decay == 0.004


def test_pictures_without_a_size_are_refused_with_what_would_say_it() -> None:
    with pytest.raises(SpecError) as caught:
        read_caffe(Source("quick.prototxt", small.cifar10_quick()))
    (found,) = caught.value.diagnostics
    assert found.code == "NS803"
    assert "--size" in found.help


def test_a_mean_image_says_the_size_and_the_colour(tmp_path: Path) -> None:
    import numpy as np

    from tests.importers.caffe.google import message_class

    image = np.arange(3 * 32 * 32, dtype=np.float32).reshape(1, 3, 32, 32) / 16
    blob = message_class("BlobProto")(num=1, channels=3, height=32, width=32, data=image.ravel())
    path = tmp_path / "mean.binaryproto"
    path.write_bytes(blob.SerializeToString())
    spec = read_caffe(Source("quick.prototxt", small.cifar10_quick()), mean=path).spec
    assert spec.input.size == (32, 32)
    assert spec.data.mean == pytest.approx(image.mean(axis=(0, 2, 3)).tolist())
    assert spec.data.channels == "rgb"  # Caffe's CIFAR example keeps the order of the data set
