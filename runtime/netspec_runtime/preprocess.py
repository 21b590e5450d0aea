"""A picture becomes the views that a net gets: resize, crop, reflect, subtract the mean. It reads no files.

Sections 2 and 4.1 of the paper: the shorter side to 256, of that the central square, of that the centre or ten patches.
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
    pixels = pixels_of(framed(picture, recipe.resize, recipe.crop))
    if recipe.channels is Channels.BGR:
        pixels = pixels[:, :, ::-1]
    height, width = recipe.crop
    patches = [pixels[y : y + height, x : x + width] for y, x in corners(pixels.shape, recipe.crop, count)]
    if count == 10:
        patches += [patch[:, ::-1] for patch in patches]
    views = (np.stack(patches).astype(np.float32) - _mean(recipe)) / np.array(recipe.std, np.float32)
    return np.ascontiguousarray(views.transpose(0, 3, 1, 2))


def _mean(recipe: Preprocessing) -> NDArray[np.float32]:
    """[height, width, channels] or [channels]; a reflected view is less the same image as the others (paper 2)."""
    if recipe.mean_image is not None:
        return recipe.mean_image.array.transpose(1, 2, 0)
    return np.array(recipe.mean, np.float32)


def pixels_of(picture: Image.Image) -> NDArray[np.uint8]:
    """[height, width, channels]."""
    pixels = np.asarray(picture)
    return pixels.reshape(*pixels.shape[:2], -1)


def framed(picture: Image.Image, side: int | None, stretched: tuple[int, int]) -> Image.Image:
    """The part that views are cut from: the shorter side scaled to ``side``, then the central square of that side.

    Without ``side``, the whole picture at the height and width ``stretched``. Bilinear with antialiasing (Pillow's
    BILINEAR). The longer side is rounded down, as in torchvision; half a pixel over goes to the right and the bottom.
    Raises ProportionsError.
    """
    if side is None:
        return _resized(picture, (stretched[1], stretched[0]))
    width, height = picture.size
    if width <= height:
        tall = _resized(picture, (side, height * side // width))
        top = (tall.height - side) // 2
        return tall.crop((0, top, side, top + side))
    wide = (width * side // height, side)
    _check_proportions(picture, wide)
    # Pillow scales rows first, then columns: as two steps, the columns beyond the square need not be scaled.
    rows = picture.resize((wide[0], height), Image.Resampling.BILINEAR)
    left = (wide[0] - side) // 2
    return rows.crop((left, 0, left + side, height)).resize((side, side), Image.Resampling.BILINEAR)


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    _check_proportions(picture, size)
    return picture.resize(size, Image.Resampling.BILINEAR)


def _check_proportions(picture: Image.Image, size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_RESIZED:
        raise ProportionsError(f"{picture.width} x {picture.height} pixels are too long and thin")


def corners(shape: tuple[int, ...], crop: tuple[int, int], count: ViewCount) -> list[tuple[int, int]]:
    """Top and left of each view that is not reflected; half a pixel over goes to the right and the bottom."""
    bottom, right = shape[0] - crop[0], shape[1] - crop[1]
    centre = (bottom // 2, right // 2)
    return [centre] if count == 1 else [(0, 0), (0, right), (bottom, 0), (bottom, right), centre]
