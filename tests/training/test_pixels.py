"""Inputs of the net beside numpy in float64, and bit for bit beside what `infer` makes of the same pictures."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from netspec_runtime.card import Channels, MeanImage, Preprocessing
from netspec_runtime.data.prepared import Split, Statistics
from netspec_runtime.preprocess import ViewCount, make_views
from netspec_runtime.training.batches import TrainingBatches
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.recipe import PictureRecipe
from netspec_runtime.training.views import cut_view, views_of
from tests.training.pictures import recipe, split, statistics

CPU = torch.device("cpu")
ROUNDING = 4e-5  # two roundings of float32 below 512: less than 1e-7 of the scale


def slow(
    images: NDArray[np.uint8], noise: NDArray[np.float32] | None, pictures: PictureRecipe, figures: Statistics
) -> NDArray[np.float64]:
    """[n, C, h, w] in float64, a picture at a time."""
    results = []
    for number, image in enumerate(images):
        pixels = image.astype(np.float64)
        if pictures.mean == "image":  # 12 x 15 of which 9 x 10: half a pixel over goes to the bottom and the right
            pixels = pixels - figures.mean_image.astype(np.float64)[1:10, 2:12]
        if pictures.mean == "color":
            pixels = pixels - figures.mean_color
        if noise is not None:
            pixels = pixels + noise[number].astype(np.float64)
        if pictures.channels is Channels.BGR:
            pixels = pixels[:, :, [2, 1, 0]]
        if isinstance(pictures.mean, tuple):  # numbers are in the net's order
            pixels = pixels - np.array(pictures.mean)
        if pictures.std is not None:
            pixels = pixels / np.array(pictures.std)
        if noise is not None and pictures.noise_of == "std":
            pixels = pixels / (1 + pictures.noise)
        results.append(pixels.transpose(2, 0, 1))
    return np.stack(results)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("mean", ["none", "image", "color", (104.0, 116.7, 123.7)])
@pytest.mark.parametrize("std", [None, (57.4, 57.1, 58.4)])
@pytest.mark.parametrize("channels", [Channels.RGB, Channels.BGR])
@pytest.mark.parametrize(("noise", "noise_of"), [(0.0, "std"), (0.1, "std"), (0.1, "eigenvalue")])
def test_inputs_are_the_reference(
    channels_last: bool,
    mean: Literal["none", "image", "color"] | tuple[float, ...],
    std: tuple[float, ...] | None,
    channels: Channels,
    noise: float,
    noise_of: str,
) -> None:
    pictures = recipe(mean=mean, std=std, channels=channels, noise=noise, noise_of=noise_of)
    data = split()
    batch = TrainingBatches(data, statistics(data), pictures, 16, 1, 0, slice(0, 16)).batch(0)
    before = batch.images.clone()
    inputs = Pixels(pictures, statistics(data), CPU, channels_last)(batch.images, batch.noise)
    drawn = None if batch.noise is None else batch.noise.numpy()
    expected = slow(batch.images.numpy(), drawn, pictures, statistics(data))
    assert (inputs.dtype, inputs.shape) == (torch.float32, (16, 3, 9, 10))
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert inputs.is_contiguous(memory_format=layout)
    np.testing.assert_allclose(inputs.numpy(), expected, rtol=0, atol=ROUNDING)
    assert torch.equal(batch.images, before)


@pytest.mark.parametrize("channels_last", [False, True])
def test_grey_inputs(channels_last: bool) -> None:
    data = split(colours=1)
    pictures = recipe(channels=Channels.GREY, noise=0.1, noise_of="std", mean="image", std=(50.0,))
    batch = TrainingBatches(data, statistics(data), pictures, 16, 1, 0, slice(0, 16)).batch(0)
    assert batch.noise is not None
    inputs = Pixels(pictures, statistics(data), CPU, channels_last)(batch.images, batch.noise)
    expected = slow(batch.images.numpy(), batch.noise.numpy(), pictures, statistics(data))
    np.testing.assert_allclose(inputs.numpy(), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize("channels", list(Channels))
@pytest.mark.parametrize("std", [1.0, 58.393])
@pytest.mark.parametrize("mean_of", ["color", "image"])
def test_test_inputs_are_those_of_infer_bit_for_bit(
    mean_of: Literal["color", "image"], std: float, channels: Channels, count: ViewCount, channels_last: bool
) -> None:
    colours, backwards = channels.planes, channels is Channels.BGR
    data = split(4, (12, 12), colours)
    figures = statistics(data)
    pictures = recipe(
        prepared=(12, 12),
        channels=channels,
        mean=mean_of,
        noise=0.1,
        noise_of="std",
        std=None if std == 1 else (std,) * colours,
    )
    color, image = figures.mean_color.tolist(), figures.mean_image[1:10, 1:11].transpose(2, 0, 1)
    card = Preprocessing(
        resize=12,
        crop=(9, 10),
        channels=channels,
        mean=tuple(color[::-1] if backwards else color),
        std=(std,) * colours,
        views=count,
        mean_image=MeanImage.of(image[::-1] if backwards else image) if mean_of == "image" else None,
    )
    pixels = Pixels(pictures, figures, CPU, channels_last)
    places = views_of((12, 12), (9, 10), count)
    views = [pixels(cut_view(data, np.arange(4), place, (9, 10))).numpy() for place in places]
    for number, raw in enumerate(data.images):
        picture = Image.fromarray(raw.squeeze(2) if colours == 1 else raw)
        np.testing.assert_array_equal(np.stack([view[number] for view in views]), make_views(picture, card, count))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_gpu_computes_the_same_bits(noise: float, channels_last: bool) -> None:
    data = split()
    pictures = recipe(mean="image", std=(57.4, 57.1, 58.4), channels=Channels.BGR, noise=noise, noise_of="std")
    batch = TrainingBatches(data, statistics(data), pictures, 16, 1, 0, slice(0, 16)).batch(0)
    cpu, gpu = (
        Pixels(pictures, statistics(data), torch.device(device), channels_last)(batch.images, batch.noise)
        for device in ("cpu", "cuda")
    )
    assert gpu.stride() == cpu.stride()
    assert torch.equal(gpu.cpu(), cpu)


def test_the_mean_of_all_inputs_is_zero_with_any_mean() -> None:
    """A mean in the wrong order of colours, or cut from the wrong place, would leave one."""
    data = split()
    images = torch.from_numpy(data.images[:, 1:10, 2:12].copy())
    for channels in (Channels.RGB, Channels.BGR):
        inputs = Pixels(recipe(mean="image", channels=channels), statistics(data), CPU)(images)
        assert inputs.mean(0).abs().max() < 1e-4
        whole = Pixels(recipe(mean="color", channels=channels, crop=(12, 15)), statistics(data), CPU)
        assert whole(torch.from_numpy(data.images)).mean((0, 2, 3)).abs().max() < 1e-4


def test_labels_and_pictures_of_one_picture_stay_together() -> None:
    """Pictures whose only colour is their label: after everything, each input still says its label."""
    labels = np.arange(40)
    data = Split(np.broadcast_to(labels[:, None, None, None], (40, 12, 15, 3)).astype(np.uint8), labels)
    pictures = recipe(mean="none")
    batch = TrainingBatches(data, statistics(data), pictures, 16, 1, 2, slice(3, 9)).batch(1)
    inputs = Pixels(pictures, statistics(data), CPU, channels_last=True)(batch.images)
    assert inputs.amin((1, 2, 3)).tolist() == inputs.amax((1, 2, 3)).tolist() == batch.labels.tolist()
