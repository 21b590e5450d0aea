"""Patches of prepared pictures into one uint8 batch, some reflected: as fast as memory. It draws nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netspec_runtime.data.prepared import Split
from netspec_runtime.errors import DataError

_PREPARE_AGAIN = "prepare the data again with `netspec prepare`"
_ALONE = 32767  # bytes: torch works on more than this (at::internal::GRAIN_SIZE) with several threads
Corners = tuple[NDArray[np.int64], NDArray[np.int64]]


def cut(
    split: Split, ids: NDArray[np.int64], corners: Corners, mirrored: NDArray[np.bool_], crop: tuple[int, int]
) -> Tensor:
    """Contiguous uint8 [n, h, w, C]: of picture ``ids[k]``, the patch whose top and left are ``corners``.

    The patches lie within the pictures. Raises DataError where the file has become shorter than its pictures.
    """
    require_whole(split)
    (height, width), colours = crop, split.images.shape[3]
    tops, lefts = corners
    lines = _lines(split.images, width)[ids[:, None], tops[:, None] + np.arange(height), lefts[:, None]]
    _reflect(lines.reshape(-1), mirrored.repeat(height), (width, colours))
    return torch.from_numpy(lines.view(np.uint8).reshape(len(ids), height, width, colours))


def _lines(images: NDArray[np.uint8], width: int) -> NDArray[np.void]:
    """[N, H, W - width + 1]: at each pixel the line of ``width`` pixels that starts there, as one element to be copied.

    Whole lines are what numpy gathers fastest; no picture is copied here.
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
        raise DataError(source(split), f"{count} pictures and {len(split)} labels", _PREPARE_AGAIN)
    if height < crop[0] or width < crop[1]:
        sizes = f"pictures of {height} x {width} pixels for a net that takes {crop[0]} x {crop[1]}"
        raise DataError(source(split), sizes, "prepare the data for this spec")
    if colours != planes:
        raise DataError(
            source(split), f"{colours} colours for a net that takes {planes}", "prepare the data for this spec"
        )


def require_whole(split: Split) -> None:
    """Raise DataError if the mapped file is shorter than its pictures: reading past its end kills a process."""
    images = split.images
    if not isinstance(images, np.memmap) or images.filename is None:
        return
    try:
        size = Path(images.filename).stat().st_size
    except OSError as error:
        raise DataError(source(split), f"cannot be read: {error.strerror}", _PREPARE_AGAIN) from error
    if size < images.offset + images.nbytes:
        raise DataError(source(split), "the file has become shorter while in use", _PREPARE_AGAIN)


def source(split: Split) -> str:
    """The file of the pictures, for messages."""
    return str(getattr(split.images, "filename", None) or "the pictures")
