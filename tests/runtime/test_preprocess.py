"""Views against a slow, obvious restatement of section 4.1."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from netspec_runtime.card import Channels, MeanImage, Preprocessing, read_card
from netspec_runtime.images import read_picture
from netspec_runtime.preprocess import ProportionsError, ViewCount, _exact_part, framed, make_views
from tests.runtime.models import PREPROCESSING

MEAN_IMAGE = MeanImage.of(np.random.default_rng(2).uniform(0, 255, (3, 9, 14)).astype(np.float32))
RECIPE = read_card({"netspec.preprocessing": json.dumps(PREPROCESSING)}).preprocessing


def slow_frame(picture: Image.Image, side: int | None, stretched: tuple[int, int]) -> Image.Image:
    """The whole picture scaled, then its central square cut out (section 2)."""
    width, height = picture.size
    if side is None:
        return picture.resize((stretched[1], stretched[0]), Image.Resampling.BILINEAR)
    size = (side, int(height * side / width)) if width < height else (int(width * side / height), side)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return picture.resize(size, Image.Resampling.BILINEAR).crop((left, top, left + side, top + side))


def slow_centre(picture: Image.Image, side: int | None, crop: tuple[int, int]) -> Image.Image:
    """The centre of the whole scaled picture, without a square between."""
    width, height = picture.size
    size = (crop[1], crop[0])
    if side is not None:
        size = (side, int(height * side / width)) if width < height else (int(width * side / height), side)
    left, top = (size[0] - crop[1]) // 2, (size[1] - crop[0]) // 2
    return picture.resize(size, Image.Resampling.BILINEAR).crop((left, top, left + crop[1], top + crop[0]))


def slow_views(picture: Image.Image, recipe: Preprocessing, count: ViewCount) -> NDArray[np.float64]:
    """Pixel by pixel, as one would explain it."""
    crop_height, crop_width = recipe.crop
    picture = (slow_frame if count == 10 else slow_centre)(picture, recipe.resize, recipe.crop)
    width, height = picture.size
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    right, bottom = width - crop_width, height - crop_height
    places = [(left, top, False)]
    if count == 10:
        corners = [(0, 0), (right, 0), (0, bottom), (right, bottom), (left, top)]
        places = [(x, y, mirrored) for mirrored in (False, True) for x, y in corners]
    means = None if recipe.mean_image is None else recipe.mean_image.array
    order = {"rgb": (0, 1, 2), "bgr": (2, 1, 0), "grey": (0,)}[recipe.channels]
    views = np.zeros((len(places), len(order), crop_height, crop_width))
    for view, (x, y, mirrored) in enumerate(places):
        for row in range(crop_height):
            for column in range(crop_width):
                pixel = picture.getpixel((x + (crop_width - 1 - column if mirrored else column), y + row))
                colours = pixel if isinstance(pixel, tuple) else (pixel,)
                for plane, source in enumerate(order):
                    value = float(colours[source] or 0)
                    mean = means[plane, row, column] if means is not None else recipe.mean[plane]
                    views[view, plane, row, column] = (value - mean) / recipe.std[plane]
    return views


@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize("size", [(37, 29), (29, 37), (20, 20), (5, 9), (16, 200)])
@pytest.mark.parametrize(
    "recipe",
    [
        RECIPE,
        replace(RECIPE, channels=Channels.BGR),
        replace(RECIPE, resize=None),
        replace(RECIPE, resize=16),
        replace(RECIPE, crop=(9, 14), resize=17),
        replace(RECIPE, channels=Channels.GREY, mean=(99.5,), std=(2.0,)),
        replace(RECIPE, channels=Channels.BGR, crop=(9, 14), resize=17, mean_image=MEAN_IMAGE),
    ],
    ids=["rgb", "bgr", "stretched", "whole side", "oblong crop", "grey", "mean image"],
)
def test_views_are_those_of_the_slow_reference(recipe: Preprocessing, size: tuple[int, int], count: ViewCount) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    picture = Image.fromarray(noise).convert("L" if recipe.channels is Channels.GREY else "RGB")
    views = make_views(picture, recipe, count)
    assert views.dtype == np.float32
    assert views.flags["C_CONTIGUOUS"]
    np.testing.assert_allclose(views, slow_views(picture, recipe, count), rtol=1e-5, atol=1e-5)


def test_ten_views_hold_the_one(picture: Image.Image) -> None:
    ten = make_views(picture, RECIPE, 10)
    assert np.array_equal(ten[4:5], make_views(picture, RECIPE, 1))
    assert np.array_equal(ten[5:], ten[:5, :, :, ::-1])


@given(st.integers(30, 90), st.integers(30, 90), st.integers(20, 40), st.integers(0, 9), st.integers(0, 9))
def test_one_view_is_the_centre_of_the_whole_scaled_picture(
    width: int, height: int, side: int, less: int, narrower: int
) -> None:
    recipe = replace(RECIPE, crop=(side - less, side - narrower), resize=side, mean=(0, 0, 0), std=(1, 1, 1))
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    view = make_views(Image.fromarray(noise), recipe, 1)[0].transpose(1, 2, 0)
    assert np.array_equal(view, np.asarray(slow_centre(Image.fromarray(noise), side, recipe.crop)))


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 80), st.sampled_from(["RGB", "L"]))
def test_the_square_is_that_of_the_whole_scaled_picture(width: int, height: int, side: int, mode: str) -> None:
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    picture = Image.fromarray(noise).convert(mode)
    assert framed(picture, side, (1, 1)).tobytes() == slow_frame(picture, side, (1, 1)).tobytes()


@pytest.mark.parametrize("side", [227, 256])
@pytest.mark.parametrize(
    "size",
    [
        *[(500, 375), (375, 500), (500, 333), (333, 500), (500, 334), (500, 332), (640, 480), (480, 640)],
        *[(350, 700), (350, 701), (300, 900), (512, 384), (1536, 1024), (1024, 1536), (120, 160), (160, 120), (96, 64)],
    ],
)
def test_the_square_of_a_photo_is_that_of_the_whole_scaled_photo(size: tuple[int, int], side: int) -> None:
    """Noise, sharp in every pixel: one weight that differs in its last bit shows."""
    noise = np.random.default_rng(sum(size)).integers(0, 256, (size[1], size[0], 3), np.uint8)
    picture = Image.fromarray(noise)
    assert framed(picture, side, (1, 1)).tobytes() == slow_frame(picture, side, (1, 1)).tobytes()


@pytest.mark.slow
@given(st.integers(200, 700), st.integers(200, 700), st.sampled_from([64, 224, 227, 256, 255]))
def test_the_square_of_any_photo_is_that_of_the_whole_scaled_photo(width: int, height: int, side: int) -> None:
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    picture = Image.fromarray(noise)
    assert framed(picture, side, (1, 1)).tobytes() == slow_frame(picture, side, (1, 1)).tobytes()


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ((500, 384, 64, 320), (63, 321)),  # 500 / 384 is 125 / 96: every third column lies on 1/32 of a pixel
        ((500, 341, 42, 298), (0, 341)),  # 4:3: no column but the ends lies on such a fraction
        ((512, 256, 64, 192), (64, 192)),
        ((500, 257, 0, 256), (0, 257)),
    ],
)
def test_only_parts_with_exact_ends_are_scaled_alone(row: tuple[int, int, int, int], part: tuple[int, int]) -> None:
    assert _exact_part(*row) == part


def test_ten_views_lie_in_the_square() -> None:
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = 255
    views = make_views(Image.fromarray(pixels), replace(RECIPE, resize=20, mean=(0, 0, 0), std=(1, 1, 1)), 10)
    assert views.min() == 255


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 40), st.integers(1, 40), st.integers(0, 30))
def test_any_size_gives_whole_views(width: int, height: int, crop_height: int, crop_width: int, more: int) -> None:
    recipe = replace(RECIPE, crop=(crop_height, crop_width), resize=max(crop_height, crop_width) + more)
    views = make_views(Image.new("RGB", (width, height)), recipe, 10)
    assert views.shape == (10, 3, crop_height, crop_width)


def test_a_thread_of_pixels_is_refused() -> None:
    with pytest.raises(ProportionsError, match="1 x 30000 pixels are too long and thin"):
        make_views(Image.new("RGB", (1, 30_000)), replace(RECIPE, resize=256, crop=(224, 224)), 1)


def test_real_photos(photos: Path) -> None:
    recipe = replace(RECIPE, resize=64, crop=(56, 56))
    for path in sorted(photos.iterdir())[::20]:
        picture = read_picture(str(path), Channels.RGB)
        np.testing.assert_allclose(make_views(picture, recipe, 1), slow_views(picture, recipe, 1), atol=1e-5)
