"""What prepared pictures look like, and the job of making a few of them: decode, scale, cut, sum. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from netspec_runtime.card import Channels
from netspec_runtime.data.source import EncodedPictures, Pictures, RawPictures
from netspec_runtime.data.statistics import PixelSums, sums
from netspec_runtime.errors import DataError
from netspec_runtime.preprocess import ProportionsError, framed, pixels_of

PHOTO_SIDE: Final = 256  # pixels; paper 2
_PROBED: Final = 1000  # pictures tried for one that can be read


@dataclass(frozen=True)
class Frame:
    """Height, width and colours of every prepared picture.

    ``side``: the shorter side is scaled to it, then the central square cut; None: all is stretched to the size.
    """

    size: tuple[int, int]
    channels: Channels
    side: int | None

    @property
    def shape(self) -> tuple[int, int, int]:
        return (*self.size, self.channels.planes)

    @property
    def bytes(self) -> int:
        """Of one picture."""
        return self.size[0] * self.size[1] * self.channels.planes

    def pixels(self, name: str, picture: Image.Image) -> NDArray[np.uint8]:
        """uint8 [H, W, C]. Raises DataError."""
        try:
            return pixels_of(framed(picture, self.side, self.size))
        except ProportionsError as error:
            raise DataError(name, str(error), "cut it to usual proportions") from error


def find_frame(pictures: Pictures, side: int | None, stretch: tuple[int, int] | None, grey: bool | None) -> Frame:
    """The frame for these options. Raises DataError.

    Without a size, arrays keep theirs; files get PHOTO_SIDE, or the shorter side of the first if that is less.
    ``grey`` None: as the pictures are, if they come as arrays, else in colours.
    """
    raw = pictures.images if isinstance(pictures, RawPictures) else None
    if grey is None:
        grey = raw is not None and raw.shape[3] == 1
    channels = Channels.GREY if grey else Channels.RGB
    if side is None and stretch is None:
        if raw is None:
            side = min(PHOTO_SIDE, _first_side(pictures))
        else:
            stretch = (raw.shape[1], raw.shape[2])
    if stretch is not None:
        return Frame(stretch, channels, None)
    return Frame((side or 0, side or 0), channels, side)


def _first_side(pictures: Pictures) -> int:
    """The shorter side of the first picture that can be read."""
    reasons = []
    for index in range(min(len(pictures), _PROBED)):
        try:
            return min(pictures.picture(index, Channels.RGB).size)
        except DataError as error:
            reasons.append(error.reason)
        except OSError as error:
            reasons.append(error.strerror or "cannot be read")
    more = f", and none of the {len(reasons):,} tried can be read" if len(reasons) > 1 else ""
    raise DataError(_place(pictures, 0), f"{reasons[0]}{more}", "check the files")


def _place(pictures: Pictures, index: int) -> str:
    """The path of a picture that is a file of its own, else its name."""
    if isinstance(pictures, EncodedPictures) and pictures.items[index].length is None:
        return pictures.items[index].file
    return pictures.name(index)


@dataclass(frozen=True)
class Chunk:
    """Some prepared pictures: uint8 [n, H, W, C] of those that could be read, the sums of these, and the others."""

    pixels: NDArray[np.uint8]
    sums: PixelSums | None
    bad: tuple[tuple[int, str], ...]  # index in the split, reason


def make_chunk(pictures: Pictures, frame: Frame, places: range, *, summed: bool) -> Chunk:
    """The job of one thread."""
    if isinstance(pictures, RawPictures) and pictures.images.shape[1:] == frame.shape:
        pixels = pictures.images[places.start : places.stop]
        bad: tuple[tuple[int, str], ...] = ()
    else:
        pixels, bad = _decoded(pictures, frame, places)
    return Chunk(pixels, sums(pixels) if summed and len(pixels) else None, bad)


def _decoded(pictures: Pictures, frame: Frame, places: range) -> tuple[NDArray[np.uint8], tuple[tuple[int, str], ...]]:
    pixels = np.empty((len(places), *frame.shape), np.uint8)
    bad: list[tuple[int, str]] = []
    for index in places:
        try:
            picture = pictures.picture(index, frame.channels)
            pixels[index - places.start - len(bad)] = frame.pixels(pictures.name(index), picture)
        except DataError as error:
            bad.append((index, error.reason))
        except OSError as error:
            bad.append((index, error.strerror or "cannot be read"))
    return pixels[: len(places) - len(bad)], tuple(bad)


Job = Callable[[], Chunk]
