"""Patches of prepared pictures into one uint8 batch, some reflected: as fast as memory. It draws nothing."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netspec_runtime.data.prepared import PreparedData, Split
from netspec_runtime.errors import DataError
from netspec_runtime.training.bands import PREPARE_AGAIN, bands, source

_CACHED = 2**18  # bytes of pictures worked on at a time: a core's own cache has more
_ALONE = 32767  # bytes: torch works on more than this (at::internal::GRAIN_SIZE) with several threads
Corners = tuple[NDArray[np.int64], NDArray[np.int64]]


def cut(
    split: Split, ids: NDArray[np.int64], corners: Corners, mirrored: NDArray[np.bool_], crop: tuple[int, int]
) -> Tensor:
    """Contiguous uint8 [n, h, w, C]: of picture ``ids[k]``, the patch whose top and left are ``corners``.

    Raises IndexError for a patch that leaves its picture, DataError where the file cannot be read.
    """
    (height, width), (_, _, columns, colours) = crop, split.images.shape
    tops, lefts = corners
    patches = np.empty((len(ids), height), np.dtype((np.void, width * colours)))
    at_once = max(1, _CACHED // (height * columns * colours))
    with bands(split, height) as read:
        for start in range(0, len(ids), at_once):
            some = slice(start, start + at_once)
            starts = _line_starts(read(ids[some], tops[some]), width)
            lines = starts[np.arange(len(starts))[:, None], np.arange(height), lefts[some, None]]
            _reflect(lines.reshape(-1), mirrored[some].repeat(height), (width, colours))
            patches[some] = lines
    return torch.from_numpy(patches.view(np.uint8).reshape(len(ids), height, width, colours))


def _line_starts(images: NDArray[np.uint8], width: int) -> NDArray[np.void]:
    """[n, H, W - width + 1]: at each pixel the ``width`` pixels that start there, as one element. No copy is made.

    Whole lines are what numpy copies fastest.
    """
    count, height, columns, colours = images.shape
    line = np.dtype((np.void, width * colours))
    return np.ndarray((count, height, columns - width + 1), line, images, strides=images.strides[:3])


def _reflect(lines: NDArray[np.void], mirrored: NDArray[np.bool_], shape: tuple[int, int]) -> None:
    """Turn round the pixels of some of the lines, [n] of ``shape`` (pixels, colours), in place.

    torch flips three-byte pixels ten times faster than numpy. It does so in few lines at a time: more would wake its
    own threads, which fight those of the loader and of the training step (measured: 493 us a patch, not 15).
    """
    places = np.flatnonzero(mirrored)
    at_once = max(1, _ALONE // lines.itemsize)
    for start in range(0, len(places), at_once):
        some = places[start : start + at_once]
        pixels = torch.from_numpy(lines[some].view(np.uint8).reshape(len(some), *shape))
        lines[some] = pixels.flip(1).numpy().reshape(-1).view(lines.dtype)


def require_fit(split: Split, crop: tuple[int, int], planes: int) -> None:
    """Raise DataError unless the split has pictures, with labels, of this many colours, none smaller than the crop."""
    count, height, width, colours = split.images.shape
    if count == 0 or count != len(split):
        raise DataError(source(split), f"{count} pictures and {len(split)} labels", PREPARE_AGAIN)
    if height < crop[0] or width < crop[1]:
        sizes = f"pictures of {height} x {width} pixels for a net that takes {crop[0]} x {crop[1]}"
        raise DataError(source(split), sizes, "prepare the data for this spec")
    if colours != planes:
        raise DataError(
            source(split), f"{colours} colours for a net that takes {planes}", "prepare the data for this spec"
        )


def require_size(data: PreparedData, size: tuple[int, int], planes: int, fix: str) -> None:
    """Raise DataError unless pictures are prepared in exactly this height and width, and in so many colours."""
    if (data.size, data.channels) != (size, planes):
        found, wanted = (f"{height} x {width}" for height, width in (data.size, size))
        reason = f"the pictures are prepared as {found} x {data.channels}, and it takes {wanted} x {planes}"
        raise DataError(str(data.path), reason, fix)
