"""The batches of a training run: which pictures, which patches, which colour noise. It does no arithmetic on pixels.

Every draw is a pure function of the seed and the epoch or step, and those of a whole batch are drawn in every process,
which keeps its rows: any number of workers, any count of processes and any start see the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from itertools import count
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from netspec_runtime.data.prepared import UNLABELLED, Split, Statistics
from netspec_runtime.errors import DataError
from netspec_runtime.prefetch import in_order
from netspec_runtime.training.bands import hold, source
from netspec_runtime.training.crops import Corners, cut, require_fit
from netspec_runtime.training.draws import amplitudes, crop_offsets, epoch_order, reflections
from netspec_runtime.training.recipe import PictureRecipe


@dataclass(frozen=True)
class Batch:
    """This process's rows of the batch of one step.

    ``images`` are uint8 [n, h, w, C], cropped and reflected, colours as prepared; ``labels`` int64 [n]; ``noise``
    float32 [n, C], what the colour noise adds to each colour on the scale 0 to 255, or None; ``first`` the place of
    the first row in the whole batch; ``ids`` the places in the split of all pictures of the whole batch.
    """

    images: Tensor
    labels: Tensor
    noise: Tensor | None
    ids: NDArray[np.int64]
    step: int
    first: int


def global_batch(images: int, batch: int) -> int:
    """How many pictures a whole batch has: fewer than asked for only where the data set has fewer."""
    return min(images, batch)


def steps_per_epoch(images: int, batch: int) -> int:
    """Whole batches in so many pictures: what is left over has its turn in another epoch."""
    return images // global_batch(images, batch)


def noise_directions(statistics: Statistics, pictures: PictureRecipe) -> NDArray[np.float64]:
    """[C, C]: what an amplitude of 1 adds to the colours, a column for each principal component (paper 4.1).

    ``std``: strength x sqrt(eigenvalue), as the authors' source. ``eigenvalue``: strength x eigenvalue, the paper's
    text, with pixels on the scale 0 to 1, so x eigenvalue / 255 here: a pixel is 255 times larger, an eigenvalue 255^2
    times. Taken on the scale 0 to 255 itself, the largest eigenvalue of ImageNet, 14,830, at strength .1 would add
    noise of 1,483 levels, which leaves no picture; / 255 it is 5.8 levels, and 12.2 for `std`.
    """
    values = statistics.eigenvalues.clip(0)
    scale = np.sqrt(values) if pictures.noise_of == "std" else values / 255
    return statistics.eigenvectors * (scale * pictures.noise)


class TrainingBatches:
    """Batches of exactly ``batch`` pictures, in an order drawn anew each epoch; the rest at its end is dropped.

    A split with fewer pictures is one batch of its size. ``rows`` are those of a whole batch (``global_batch``) that
    this process computes. ``workers`` threads prefetch. Raises DataError where the pictures do not fit the recipe.
    """

    def __init__(
        self,
        split: Split,
        statistics: Statistics,
        pictures: PictureRecipe,
        batch: int,
        seed: int,
        workers: int,
        rows: slice,
    ) -> None:
        require_fit(split, pictures.crop, pictures.channels.planes)
        if (split.labels == UNLABELLED).any():
            raise DataError(source(split), "some pictures have no label", "train on labelled pictures")
        hold(split)
        self._split, self._pictures = split, pictures
        self._size = global_batch(len(split), batch)
        self._seed, self._workers = seed, workers
        self._rows = slice(*rows.indices(self._size))
        self._directions = noise_directions(statistics, pictures) if pictures.noise > 0 else None
        self._orders: dict[int, NDArray[np.int64]] = {}
        self._lock = Lock()

    @property
    def steps_per_epoch(self) -> int:
        return steps_per_epoch(len(self._split), self._size)

    def start(
        self, step: int, pinned: Callable[[Tensor], Tensor] = lambda tensor: tensor
    ) -> Generator[Batch, None, None]:
        """Batches from this step on, without end. Closing the generator stops its threads.

        They call ``pinned`` for each tensor, to make it ready for its device. Raises DataError at the batch whose
        pictures cannot be read.
        """

        def make(number: int) -> Batch:
            batch = self.batch(number)
            noise = None if batch.noise is None else pinned(batch.noise)
            return replace(batch, images=pinned(batch.images), labels=pinned(batch.labels), noise=noise)

        return in_order(make, count(step), self._workers)

    def batch(self, step: int) -> Batch:
        """The batch of one step. Raises DataError."""
        ids = self._ids(step)
        mine = ids[self._rows]
        images = cut(self._split, mine, self._corners(step), self._mirrored(step), self._pictures.crop)
        labels = from_numpy(self._split.labels[mine])
        return Batch(images, labels, self._noise(step), ids, step, self._rows.start)

    def _ids(self, step: int) -> NDArray[np.int64]:
        epoch, place = divmod(step, self.steps_per_epoch)
        with self._lock:
            if epoch not in self._orders:
                self._orders = {e: order for e, order in self._orders.items() if e == epoch - 1}
                self._orders[epoch] = epoch_order(self._seed, epoch, len(self._split))
            order = self._orders[epoch]
        return order[place * self._size :][: self._size]

    def _corners(self, step: int) -> Corners:
        height, width = self._split.images.shape[1:3]
        places = (height - self._pictures.crop[0] + 1, width - self._pictures.crop[1] + 1)
        tops, lefts = crop_offsets(self._seed, step, self._size, places)
        return tops[self._rows], lefts[self._rows]

    def _mirrored(self, step: int) -> NDArray[np.bool_]:
        if not self._pictures.mirror:
            return np.zeros(self._rows.stop - self._rows.start, np.bool_)
        return reflections(self._seed, step, self._size)[self._rows]

    def _noise(self, step: int) -> Tensor | None:
        if self._directions is None:
            return None
        alphas = amplitudes(self._seed, step, self._size, len(self._directions))[self._rows]
        # No matrix product: its rounding could depend on how many rows it has.
        return from_numpy((alphas[:, None, :] * self._directions).sum(2).astype(np.float32))
