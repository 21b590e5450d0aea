"""A picture becomes the views that a net gets: resize, crop, reflect, subtract the mean. It reads no files.

Sections 2 and 4.1 of the paper: the shorter side to 256, of that the central square, of that the centre or ten patches.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from netspec_runtime.card import Channels, Preprocessing

ViewCount = Literal[1, 10]
MAX_RESIZED: Final = 64_000_000  # pixels; a picture of 1 x 10,000 would grow to 256 x 2,560,000
_WORTH_CUTTING: Final = 0.95  # of the picture; above, cutting costs more than it saves


class ProportionsError(ValueError):
    """A picture is too long and thin to be resized. The text gives its size."""


def make_views(picture: Image.Image, recipe: Preprocessing, count: ViewCount) -> NDArray[np.float32]:
    """[count, channels, height, width] from a picture in mode RGB, or L for a grey net.

    One view is the centre of the scaled picture. Ten are the corners of its central square (top left, top right, bottom
    left, bottom right), the square's centre, and the reflections of these five in the same order. Raises
    ProportionsError.
    """
    pixels = pixels_of(framed(picture, recipe.resize, recipe.crop, centred=count == 1))
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


def framed(picture: Image.Image, side: int | None, crop: tuple[int, int], *, centred: bool = False) -> Image.Image:
    """The part that views are cut from: the shorter side scaled to ``side``, then the central square of that side.

    Without ``side``, the whole picture at the height and width ``crop``. Bilinear with antialiasing (Pillow's
    BILINEAR). The longer side is rounded down, as in torchvision; half a pixel over goes to the right and the bottom.
    ``centred``: the square lies so that its central ``crop`` is that of the whole scaled picture. Two halves would be
    a pixel, where the square is larger than the crop by an odd number. Raises ProportionsError.
    """
    if side is None:
        return _resized(picture, (crop[1], crop[0]))
    width, height = picture.size
    size = (side, height * side // width) if width <= height else (width * side // height, side)
    _check_proportions(picture, size)
    over = (side - crop[0 if width <= height else 1]) % 2 if centred else 0
    return _tall_square(picture, size, over) if width <= height else _wide_square(picture, size, over)


def _tall_square(picture: Image.Image, size: tuple[int, int], over: int) -> Image.Image:
    """The central square of the picture scaled to ``size``, without scaling rows that it does not need."""
    width, height = picture.size
    side, tall = size
    top = (tall - side + over) // 2
    square = (0, top, side, top + side)
    scale = height / tall
    reach = max(scale, 1) + 1  # pixels that count beside a centre, and one for rounding
    first, last = max(0, math.floor(top * scale - reach)), min(height, math.ceil((top + side) * scale + reach))
    # Pillow scales rows first, then columns; from a height above twice the width on it may do so the other way.
    if height > 2 * width or last - first > _WORTH_CUTTING * height:
        return picture.resize(size, Image.Resampling.BILINEAR).crop(square)
    rows = picture.crop((0, first, width, last)).resize((side, last - first), Image.Resampling.BILINEAR)
    whole = rows.crop((0, -first, side, height - first))  # with black for rows of which the square shows nothing
    return whole.resize(size, Image.Resampling.BILINEAR).crop(square)


def _wide_square(picture: Image.Image, size: tuple[int, int], over: int) -> Image.Image:
    """The central square of the picture scaled to ``size``: columns beyond it are not scaled, nor rows where exact."""
    wide, side = size
    left = (wide - side + over) // 2
    first, last = _exact_part(picture.width, wide, left, left + side)
    scaled = (first * picture.width / wide, 0, last * picture.width / wide, picture.height)
    rows = picture.resize((last - first, picture.height), Image.Resampling.BILINEAR, scaled)
    left -= first
    return rows.crop((left, 0, left + side, picture.height)).resize((side, side), Image.Resampling.BILINEAR)


@lru_cache(1 << 12)
def _exact_part(width: int, wide: int, left: int, right: int) -> tuple[int, int]:
    """The columns from ``left`` to ``right`` of a row scaled from ``width`` to ``wide``, and as few beside them as go.

    Pillow takes a part's ends in the source as numbers of 32 bits. Only where both ends, and so the scale, are exact in
    these are the weights those of the whole row; else all columns are returned.
    """
    odd = wide // math.gcd(width, wide)
    odd //= odd & -odd  # a power of two in the denominator is exact
    first, last = left // odd * odd, -(-right // odd) * odd
    exact = all(_is_exact(n * width, wide) for n in (first, last, last - first))
    return (first, last) if exact and last - first <= _WORTH_CUTTING * wide else (0, wide)


def _is_exact(numerator: int, denominator: int) -> bool:
    """Whether the quotient is a number of 32 bits."""
    return Fraction(float(np.float32(numerator / denominator))) == Fraction(numerator, denominator)


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
