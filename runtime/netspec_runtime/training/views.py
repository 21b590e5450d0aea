"""The test views of prepared pictures (paper 4.1), in order through a split. It averages no answers."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from netspec_runtime.data.prepared import Split
from netspec_runtime.preprocess import corners
from netspec_runtime.training.crops import cut, require_fit
from netspec_runtime.training.prefetch import in_order
from netspec_runtime.training.recipe import ViewCount


@dataclass(frozen=True)
class ViewBatch:
    """Views of some pictures of a split: uint8 [count, n, h, w, C], labels int64 [n], places in the split [n]."""

    images: Tensor
    labels: Tensor
    ids: NDArray[np.int64]


def test_crops(images: Tensor, crop: tuple[int, int], count: ViewCount) -> Tensor:
    """Contiguous uint8 [count, n, h, w, C] of uint8 [n, H, W, C], ordered as in `preprocess.make_views`.

    One view is the centre. Ten are top left, top right, bottom left, bottom right, centre, and their reflections.
    """
    patches = [images[:, y : y + crop[0], x : x + crop[1]] for y, x in corners(images.shape[1:], crop, count)]
    if count == 10:
        patches += [patch.flip(2) for patch in patches]
    return torch.stack(patches)


def evaluation_batches(
    split: Split,
    crop: tuple[int, int],
    views: ViewCount,
    batch: int,
    start: int = 0,
    stop: int | None = None,
    workers: int = 0,
) -> Generator[ViewBatch, None, None]:
    """The pictures from ``start`` to before ``stop`` in order, ``batch`` pictures at a time, the last batch smaller.

    For data-parallel evaluation each process takes a range of its own. Raises DataError where the pictures do not fit.
    """
    require_fit(split, crop, split.images.shape[3])
    end = len(split) if stop is None else min(stop, len(split))

    def make(first: int) -> ViewBatch:
        ids = np.arange(first, min(first + batch, end))
        return ViewBatch(_views(split, ids, crop, views), from_numpy(split.labels[ids]), ids)

    return in_order(make, range(start, end, batch), workers)


def _views(split: Split, ids: NDArray[np.int64], crop: tuple[int, int], count: ViewCount) -> Tensor:
    """As ``test_crops`` of these pictures, cut straight out of the file."""
    tops, lefts = np.array(corners(split.images.shape[1:], crop, count) * (1 if count == 1 else 2)).T.repeat(
        len(ids), axis=1
    )
    mirrored = (np.arange(count) >= 5).repeat(len(ids))
    return cut(split, np.tile(ids, count), (tops, lefts), mirrored, crop).reshape(count, len(ids), *crop, -1)
