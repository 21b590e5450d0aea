"""What data layers say about pictures, and what is taken where they say nothing. No picture is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netspec.diagnostics import SpecError
from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.importers.remark import Imported
from netspec.source import Source
from netspec.spec.dump import dump
from tests.importers.caffe.google import message_class
from tests.importers.caffe.nets.text import conv, deploy_input, layer

CONV = conv("conv", "data", 4, 3)
TRAIN, TEST = "include { phase: TRAIN }", "include { phase: TEST }"


def source(type: str, more: str) -> str:
    return layer("data", type, "", "data label", more)


def database(transform: str, where: str = "some_lmdb") -> str:
    return source("Data", f'transform_param {{ {transform} }} data_param {{ source: "{where}" batch_size: 4 }}')


def read(text: str, mean: Path | None = None, **options: object) -> Imported:
    return read_caffe(Source("net.prototxt", text + CONV), CaffeOptions(**options), mean=mean)  # type: ignore[arg-type] # as named


def head(net: Imported) -> tuple[str, str]:
    """The lines `input` and `data` of the file."""
    lines = dict(line.split(": ", 1) for line in dump(net.spec).partition("layers:")[0].splitlines())
    return lines["input"], lines.get("data", "")


def mean_file(path: Path, channels: int, side: int, values: tuple[float, ...]) -> Path:
    image = np.ones((channels, side, side), np.float32) * np.array(values, np.float32)[:, None, None]
    blob = message_class("BlobProto")(num=1, channels=channels, height=side, width=side, data=image.ravel())
    path.write_bytes(blob.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("text", "reads", "data"),
    [
        (database("crop_size: 20"), "{size: 20}", "{channels: bgr}"),
        (database("crop_size: 224 mirror: true"), "{size: 224}",
         "{resize: 256, crop: 224, mirror: true, channels: bgr}"),
        (database("crop_size: 20 mean_value: 128 scale: 0.0078125"), "{size: 20}",
         "{channels: bgr, mean: [128, 128, 128], std: [128, 128, 128]}"),
        (database("crop_size: 20 mean_value: 1 mean_value: 2 mean_value: 3.5"), "{size: 20}",
         "{channels: bgr, mean: [1, 2, 3.5]}"),
        (database("crop_size: 20 force_gray: true mean_value: 33"), "{size: 20, channels: 1}",
         "{channels: grey, mean: [33]}"),
        (database('crop_size: 20 mean_file: "m.binaryproto"'), "{size: 20}", "{channels: bgr, mean: image}"),
        (database("crop_size: 20", "examples/cifar10/cifar10_train_lmdb"), "{size: 20}", "{resize: 32, crop: 20}"),
        (source("ImageData", 'image_data_param { source: "l.txt" new_height: 30 new_width: 40 }'),
         "{size: [30, 40]}", "{channels: bgr}"),
        (source("ImageData", 'transform_param { crop_size: 24 } image_data_param { new_height: 30 new_width: 40 }'),
         "{size: 24}", "{resize: 30, crop: 24, channels: bgr}"),
        (source("ImageData", "image_data_param { new_height: 30 new_width: 30 is_color: false }"),
         "{size: 30, channels: 1}", "{channels: grey}"),
        (source("MemoryData", "memory_data_param { batch_size: 1 channels: 3 height: 20 width: 22 }"),
         "{size: [20, 22]}", "{channels: bgr}"),
        (source("DummyData", "dummy_data_param { num: 1 channels: 1 height: 20 width: 22 }"),
         "{size: [20, 22], channels: 1}", "{channels: grey}"),
        (deploy_input(10, 3, 227, 227), "{size: 227}",
         "{resize: 256, crop: 227, channels: bgr, mean: [104, 117, 123]}"),
        (deploy_input(1, 3, 32, 32), "{size: 32}", "{channels: bgr}"),
        (deploy_input(1, 3, 64, 64), "{size: 64}", "{channels: bgr}"),
        (deploy_input(1, 3, 65, 65), "{size: 65}", "{resize: 74, crop: 65, channels: bgr, mean: [104, 117, 123]}"),
        (deploy_input(1, 3, 199, 199), "{size: 199}",
         "{resize: 225, crop: 199, channels: bgr, mean: [104, 117, 123]}"),
        (deploy_input(1, 3, 256, 256), "{size: 256}",
         "{resize: 256, crop: 256, channels: bgr, mean: [104, 117, 123]}"),
        (deploy_input(1, 3, 299, 299), "{size: 299}",
         "{resize: 338, crop: 299, channels: bgr, mean: [104, 117, 123]}"),
        (deploy_input(1, 3, 240, 320), "{size: [240, 320]}", "{channels: bgr, mean: [104, 117, 123]}"),
        (source("ImageData", "transform_param { crop_size: 24 } image_data_param { new_height: 24 new_width: 24 }"),
         "{size: 24}", "{channels: bgr}"),
        (deploy_input(1, 1, 28, 28), "{size: 28, channels: 1}", "{channels: grey}"),
        (deploy_input(1, 8, 9, 9), "{size: 9, channels: 8}", ""),
    ],
)  # fmt: skip
def test_sources(text: str, reads: str, data: str) -> None:
    assert head(read(text)) == (reads, data)


def test_the_size_of_training_and_the_layers_of_test() -> None:
    train = source("Data", f"{TRAIN} transform_param {{ crop_size: 20 mirror: true }} data_param {{ batch_size: 64 }}")
    test = source("Data", f"{TEST} transform_param {{ crop_size: 20 }} data_param {{ batch_size: 10 }}")
    for text in (train + test, test + train, train):
        net = read(text)
        assert head(net) == ("{size: 20}", "{mirror: true, channels: bgr}")
        assert net.spec.train.batch == 64
        assert {origin.layer for origin in net.origins} <= {"data", "conv", ""}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (source("ImageData", "transform_param { crop_size: 24 } image_data_param { new_height: 30 new_width: 40 }"),
         "scaled to 30 before the crop, and proportions stay; Caffe stretches them to 30x40"),
        (source("ImageData", "transform_param { crop_size: 24 } image_data_param { new_height: 30 new_width: 30 }"),
         "proportions stay; Caffe stretches them to 30x30: the same for square pictures only"),
        (database("crop_size: 227"),
         "scaled to 256 before the crop, and proportions stay; Caffe takes them as they are stored"),
        (database("crop_size: 20"), "here they are stretched to it"),
    ],
)  # fmt: skip
def test_what_happens_before_the_crop_is_said(text: str, said: str) -> None:
    (remark,) = [remark for remark in read(text).remarks if remark.topic == "preprocessing"]
    assert remark.text.endswith(said)


def test_a_mean_image_becomes_its_colour(tmp_path: Path) -> None:
    path = mean_file(tmp_path / "mean.binaryproto", 3, 256, (104, 117.5, 123))
    trained = read(database('crop_size: 227 mean_file: "m"'), path)
    assert head(trained)[1] == "{resize: 256, crop: 227, channels: bgr, mean: [104, 117.5, 123]}"
    used = read(deploy_input(1, 3, 227, 227), path)
    assert head(used) == head(trained)
    assert [remark.place.source.name for remark in used.remarks if remark.topic == "mean"] == [str(path)]


def test_rgb_turns_the_mean_too(tmp_path: Path) -> None:
    path = mean_file(tmp_path / "mean.binaryproto", 3, 20, (1, 2, 3))
    net = read(database('crop_size: 20 mean_file: "m"'), path, rgb=True)
    assert head(net)[1] == "{resize: 20, crop: 20, mean: [3, 2, 1]}"


def test_rgb_has_nothing_to_turn_in_a_grey_net() -> None:
    net = read(deploy_input(1, 1, 28, 28), rgb=True)
    assert net.spec.data.channels == "grey"
    assert "channel order" in {remark.topic for remark in net.remarks}


def test_rgb_needs_a_convolution_at_the_start() -> None:
    text = deploy_input(1, 3, 8, 8) + layer("abs", "AbsVal", "data", "abs")
    with pytest.raises(SpecError) as caught:
        read_caffe(Source("net.prototxt", text), CaffeOptions(rgb=True))
    assert caught.value.diagnostics[0].code == "NS804"


def test_the_side_that_the_user_gives() -> None:
    assert head(read(database("mirror: true"), size=40)) == ("{size: 40}", "{mirror: true, channels: bgr}")
    assert head(read('input: "data"\n', size=40, channels=1)) == ("{size: 40, channels: 1}", "{channels: grey}")


def sizes(net: Imported) -> list[str]:
    return [remark.text for remark in net.remarks if remark.topic == "size"]


def test_a_size_that_the_file_says_is_kept() -> None:
    for text in (
        database("crop_size: 227 mirror: true"),
        source("ImageData", "image_data_param { new_height: 227 new_width: 227 }"),
    ):
        net = read(text, size=100)
        assert head(net) == head(read(text))
        assert sizes(net) == ["`--size 100` is not used: the size of pictures is 227x227 in the files"]
        assert sizes(read(text, size=227)) == []


def test_the_size_of_an_input_layer_is_replaced_with_what_goes_before_it() -> None:
    net = read(deploy_input(1, 3, 227, 227), size=100)
    assert head(net) == head(read(deploy_input(1, 3, 100, 100)))
    assert sizes(net) == ["the input is 100x100, as `--size` says; the file says 227x227"]


def test_the_data_layer_of_training_is_taken_whole() -> None:
    train = source("Data", f"{TRAIN} transform_param {{ crop_size: 20 mirror: true scale: 0.5 mean_value: 7 }}")
    test = source("Data", f"{TEST} transform_param {{ crop_size: 24 scale: 0.5 }} data_param {{ batch_size: 10 }}")
    for text in (train + test, test + train):
        net = read(text)
        assert head(net) == ("{size: 20}", "{mirror: true, channels: bgr, mean: [7, 7, 7], std: [2, 2, 2]}")
        assert [remark.text for remark in net.remarks if remark.topic == "phases"] == [
            "training's data layer is taken, and that of testing says another `crop_size`, `mean_value`"
        ]


def test_an_input_of_testing_has_its_own_size() -> None:
    train = source("Data", f"{TRAIN} transform_param {{ crop_size: 20 mirror: true }} data_param {{ batch_size: 64 }}")
    test = layer("data", "Input", "", "data", f"{TEST} input_param {{ shape {{ dim: [1, 3, 24, 24] }} }}")
    assert head(read(train + test)) == ("{size: 24}", "{mirror: true, channels: bgr}")


def test_a_crop_larger_than_what_it_is_cut_out_of(tmp_path: Path) -> None:
    path = mean_file(tmp_path / "mean.binaryproto", 3, 20, (1, 2, 3))
    with pytest.raises(SpecError) as caught:
        read(database('crop_size: 24 mean_file: "m"'), path)
    assert caught.value.diagnostics[0].message == "a crop of 24 does not fit the mean image of 20x20"
    with pytest.raises(SpecError) as caught:
        read(source("ImageData", "transform_param { crop_size: 24 } image_data_param { new_height: 20 new_width: 30 }"))
    assert caught.value.diagnostics[0].message == "a crop of 24 does not fit a picture of 20x30"


@pytest.mark.parametrize(
    ("transform", "code"),
    [("mean_value: 1 mean_value: 2", "NS808"), ("scale: -1", "NS802"), ("scale: 0", "NS802")],
)
def test_transformations_that_caffe_would_not_take(transform: str, code: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(database(f"crop_size: 20 {transform}"))
    assert caught.value.diagnostics[0].code == code
