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
Corners = tuple[NDArray[np.int64], NDArray[np.int64]]


def cut(
    split: Split, ids: NDArray[np.int64], corners: Corners, mirrored: NDArray[np.bool_], crop: tuple[int, int]
) -> Tensor:
    """Contiguous uint8 [n, h, w, C]: of picture ``ids[k]``, the patch whose top and left are ``corners``.

    The patches lie within the pictures. Raises DataError where the file has become shorter than its pictures.
    """
    require_whole(split)
    height, width = crop
    images = np.asarray(split.images)
    patches = np.empty((len(ids), height, width, images.shape[3]), np.uint8)
    for place, (picture, top, left, mirror) in enumerate(zip(ids, *corners, mirrored, strict=True)):
        patch = images[picture, top : top + height, left : left + width]
        patches[place] = patch[:, ::-1] if mirror else patch
    return torch.from_numpy(patches)


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
