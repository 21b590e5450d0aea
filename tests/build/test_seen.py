"""A model carries what training saw: `infer` prepares pictures exactly as training did. It trains nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from netspec.build import BuildOptions, Built, build_files
from netspec.seen import Seen
from netspec_runtime.card import Channels, MeanImage
from netspec_runtime.data.prepared import Statistics
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError
from netspec_runtime.infer import Options, classify
from netspec_runtime.model_file import read_graph, read_model
from netspec_runtime.preprocess import make_views
from netspec_runtime.session import open_net
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.recipe import PictureRecipe
from tests.build.nets import ONE, TWO, Array, compiled

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.uniform(60, 200, (24, 24, 3)).astype(np.float32)
SEEN = Seen(IMAGE, (101.0, 102.5, 103.25), ("ant", "bee", "cat", "dog", "elk"))
DATA = {
    "rgb": "data: {resize: 24, mean: image, std: [60, 61, 62]}\n",
    "bgr": "data: {resize: 24, mean: image, channels: bgr, std: [60, 61, 62], mean_color: [1, 2, 3]}\n",
}


def built(folder: Path, text: str, seen: Seen | None = SEEN, split: bool = False) -> Built:
    return build_files(
        compiled(text), None, BuildOptions(folder, folder / "net.yaml", seen=seen, check=False, split=split)
    )


def by_hand(pixels: NDArray[np.uint8], channels: str) -> Array:
    """The centre of 24 x 24 pixels, less the centre of the mean image: [3, 16, 16]."""
    centre: Array = (pixels[4:20, 4:20].astype(np.float32) - IMAGE[4:20, 4:20])[:, :, :: -1 if channels == "bgr" else 1]
    spread: Array = np.array([60, 61, 62], np.float32)
    return (centre / spread).transpose(2, 0, 1)


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_the_input_is_the_picture_less_the_mean_image(channels: str, tmp_path: Path) -> None:
    card = read_model(str(built(tmp_path, ONE + DATA[channels]).model)).card
    pixels = RANDOM.integers(0, 256, (24, 24, 3), np.uint8)
    one = make_views(Image.fromarray(pixels), card.preprocessing, 1)
    assert np.array_equal(one[0], by_hand(pixels, channels))


@pytest.mark.parametrize("mean", ["image", "color", "none"])
@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_the_input_is_that_of_training_bit_for_bit(
    channels: str, mean: Literal["none", "image", "color"], tmp_path: Path
) -> None:
    text = ONE + DATA[channels].replace("mean: image", f"mean: {mean}").replace(", mean_color: [1, 2, 3]", "")
    card = read_model(str(built(tmp_path, text).model)).card
    assert (card.preprocessing.mean_image is None) == (mean != "image")
    size, spread = ((24, 24), (16, 16)), (60.0, 61.0, 62.0)
    recipe = PictureRecipe(*size, Channels(channels), True, mean, spread, 0.0, "eigenvalue", 1)
    statistics = Statistics(IMAGE, np.array(SEEN.mean_color), np.zeros(3), np.eye(3))
    pixels = RANDOM.integers(0, 256, (24, 24, 3), np.uint8)
    trained = Pixels(recipe, statistics, torch.device("cpu"))(torch.from_numpy(pixels[None, 4:20, 4:20].copy()))
    assert np.array_equal(make_views(Image.fromarray(pixels), card.preprocessing, 1), trained.numpy())


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_the_preprocessing_names_the_mean_image(channels: str, tmp_path: Path) -> None:
    """So that a script which reads only that cannot subtract a colour instead; the colour stays for new weights."""
    about = read_graph(str(built(tmp_path, ONE + DATA[channels]).model)).metadata
    document, color = json.loads(about["netspec.preprocessing"]), list(SEEN.mean_color)
    assert document["mean"] == "netspec.mean_image"
    assert document["mean_color"] == (color if channels == "rgb" else color[::-1])
    assert json.loads(about[document["mean"]])["shape"] == [3, 16, 16]


def test_a_mean_color_in_the_order_of_the_channels(tmp_path: Path) -> None:
    text = ONE + DATA["bgr"].replace("mean: image", "mean: color")
    card = read_model(str(built(tmp_path, text).model)).card
    assert card.preprocessing.mean == (103.25, 102.5, 101.0)
    assert card.preprocessing.mean_image is None


def test_given_numbers_stay(tmp_path: Path) -> None:
    card = read_model(str(built(tmp_path, ONE + "data: {mean: [1, 2, 3]}\n").model)).card
    assert (card.preprocessing.mean, card.preprocessing.mean_image) == ((1.0, 2.0, 3.0), None)


def test_without_data_the_stand_in_stays(tmp_path: Path) -> None:
    card = read_model(str(built(tmp_path, ONE + DATA["bgr"], None).model)).card
    assert (card.preprocessing.mean, card.preprocessing.mean_image, card.labels) == ((1.0, 2.0, 3.0), None, ())


def test_the_classes_of_the_data_name_the_outputs(tmp_path: Path) -> None:
    assert read_model(str(built(tmp_path / "1", ONE).model)).card.labels == SEEN.classes
    named = ONE + "labels: [a, b, c, d, e]\n"
    assert read_model(str(built(tmp_path / "2", named).model)).card.labels == tuple("abcde")
    few = replace(SEEN, classes=("ant", "bee"))
    assert read_model(str(built(tmp_path / "3", ONE, few).model)).card.labels == ()


def test_every_device_s_file_has_the_mean_image(tmp_path: Path) -> None:
    text = TWO.replace("data: {mean: [120, 110, 100]}", "data: {mean: image}")
    made = built(tmp_path, text, split=True)
    expected = MeanImage.of(IMAGE[2:22, 2:22].transpose(2, 0, 1)).text()
    for name in ("two.onnx", "two.gpu0.onnx", "two.gpu1.onnx"):
        assert read_graph(str(made.model.with_name(name))).metadata["netspec.mean_image"] == expected


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = (built(tmp_path / name, ONE + DATA["rgb"]).model.read_bytes() for name in "ab")
    assert first == second


def test_infer_answers_with_the_mean_image(tmp_path: Path) -> None:
    """The probabilities are onnxruntime's for the input made by hand."""
    made = built(tmp_path, ONE + DATA["rgb"])
    pixels = RANDOM.integers(0, 256, (24, 24, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    net = open_net(read_model(str(made.model)), Device.CPU, prepack=False)
    (answer,) = classify(net, [str(tmp_path / "picture.png")], Options(top_k=5))
    assert not isinstance(answer, DataError)
    expected = net.probabilities(by_hand(pixels, "rgb")[None])[0]
    assert {p.index: p.probability for p in answer.predictions} == {i: float(p) for i, p in enumerate(expected)}
    assert {p.label for p in answer.predictions} == set(SEEN.classes)


def test_the_proof_holds_with_a_mean_image(tmp_path: Path) -> None:
    options = BuildOptions(tmp_path, tmp_path / "net.yaml", seen=SEEN)
    parity = build_files(compiled(ONE + DATA["rgb"]), None, options).parity
    assert parity is not None
    assert parity.holds


def test_a_mean_image_too_large_for_a_file_is_refused(tmp_path: Path) -> None:
    text = ONE.replace("size: 16", "size: 1700").replace("stride: 2", "stride: 400") + "data: {mean: image}\n"
    with pytest.raises(
        DataError, match="the mean image: mean_image has more than 33,554,432 bytes; write `mean: color`"
    ):
        built(tmp_path, text, Seen(np.zeros((1700, 1700, 3), np.float32), (0.0, 0.0, 0.0)))
