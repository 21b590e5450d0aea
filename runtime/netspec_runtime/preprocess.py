"""A picture becomes the views that a net gets: resize, crop, reflect, subtract the mean. It reads no files.

Section 4.1 of the paper: the shorter side to 256, then either the centre or ten patches.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from netspec_runtime.card import Channels, Preprocessing

ViewCount = Literal[1, 10]
MAX_RESIZED: Final = 64_000_000  # pixels; a picture of 1 x 10,000 would grow to 256 x 2,560,000


class ProportionsError(ValueError):
    """A picture is too long and thin to be resized. The text gives its size."""


def make_views(picture: Image.Image, recipe: Preprocessing, count: ViewCount) -> NDArray[np.float32]:
    """[count, channels, height, width] from a picture in mode RGB, or L for a grey net.

    One view is the centre. Ten are the corners (top left, top right, bottom left, bottom right), the centre, and the
    reflections of these five in the same order. Raises ProportionsError.
    """
    pixels = np.asarray(resized(picture, recipe))
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if recipe.channels is Channels.BGR:
        pixels = pixels[:, :, ::-1]
    height, width = recipe.crop
    patches = [pixels[y : y + height, x : x + width] for y, x in _corners(pixels.shape, recipe.crop, count)]
    if count == 10:
        patches += [patch[:, ::-1] for patch in patches]
    mean, std = np.array(recipe.mean, np.float32), np.array(recipe.std, np.float32)
    views = (np.stack(patches).astype(np.float32) - mean) / std
    return np.ascontiguousarray(views.transpose(0, 3, 1, 2))


def resized(picture: Image.Image, recipe: Preprocessing) -> Image.Image:
    """The whole picture at the recipe's size, bilinear with antialiasing (Pillow's BILINEAR).

    The longer side is rounded down, as in torchvision. Raises ProportionsError.
    """
    width, height = picture.size
    if recipe.resize is None:
        size = (recipe.crop[1], recipe.crop[0])
    else:
        shorter = min(width, height)
        size = (width * recipe.resize // shorter, height * recipe.resize // shorter)
    if size[0] * size[1] > MAX_RESIZED:
        raise ProportionsError(f"{width} x {height} pixels are too long and thin")
    return picture.resize(size, Image.Resampling.BILINEAR)


def _corners(shape: tuple[int, ...], crop: tuple[int, int], count: ViewCount) -> list[tuple[int, int]]:
    """Top and left of each patch; half a pixel over goes to the right and the bottom."""
    bottom, right = shape[0] - crop[0], shape[1] - crop[1]
    centre = (bottom // 2, right // 2)
    return [centre] if count == 1 else [(0, 0), (0, right), (bottom, 0), (bottom, right), centre]
