"""The test views of prepared pictures (paper 4.1): where they lie, and one of them cut from many. No averages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from netspec_runtime.data.prepared import Split
from netspec_runtime.preprocess import ViewCount, corners
from netspec_runtime.training.crops import cut


@dataclass(frozen=True)
class View:
    """A patch of every picture: its first line and column, and whether left and right change places."""

    top: int
    left: int
    mirrored: bool


def views_of(size: tuple[int, ...], crop: tuple[int, int], count: ViewCount) -> tuple[View, ...]:
    """Of pictures of this height and width, in the order of `preprocess.make_views`.

    One view is the centre. Ten are top left, top right, bottom left, bottom right, centre, and their reflections.
    """
    sides = (False,) if count == 1 else (False, True)
    return tuple(View(top, left, mirrored) for mirrored in sides for top, left in corners(size, crop, count))


def cut_view(split: Split, ids: NDArray[np.int64], view: View, crop: tuple[int, int]) -> Tensor:
    """Contiguous uint8 [n, h, w, C]: this view of the pictures at ``ids``. Raises as ``cut`` does."""
    places = np.full_like(ids, view.top), np.full_like(ids, view.left)
    return cut(split, ids, places, np.full(len(ids), view.mirrored), crop)
