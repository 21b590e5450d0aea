"""Mean image, mean colour and principal colours of pictures, from sums that are exact. It normalises no picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.data.prepared import Statistics

_ROWS: Final = 256  # so many products of 255 x 255 are the most that float32 adds exactly
_BLOCK: Final = 1 << 18  # pixels


@dataclass
class PixelSums:
    """Sums over pictures of one size, as whole numbers: adding them in any order gives the same.

    ``image`` is int64 [H, W, C]; ``products`` int64 [C, C], the sum over all pixels of outer products of their colours.
    Up to 10^8 pictures of 1000 x 1000 pixels do not overflow.
    """

    count: int
    image: NDArray[np.int64]
    products: NDArray[np.int64]

    def __iadd__(self, other: PixelSums) -> Self:
        """In place: to take new arrays costs more than to add."""
        self.count += other.count
        self.image += other.image
        self.products += other.products
        return self


def no_pictures(shape: tuple[int, int, int]) -> PixelSums:
    """The sums of nothing, for pictures of this height, width and number of colours."""
    return PixelSums(0, np.zeros(shape, np.int64), np.zeros((shape[2], shape[2]), np.int64))


def sums(images: NDArray[np.uint8]) -> PixelSums:
    """The sums of uint8 [N, H, W, C]."""
    narrow = np.uint16 if len(images) <= 257 else np.uint32 if len(images) < 1 << 24 else np.uint64
    image = np.add.reduce(images, axis=0, dtype=narrow)
    return PixelSums(len(images), image.astype(np.int64), _products(images.reshape(-1, images.shape[3])))


def _products(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The sum of outer products of uint8 [P, C].

    A block is cut into _ROWS rows, and the rows are added: float32 is exact here, as no more than _ROWS products are
    added in it. Colours stay beside each other in a row, and a row shifted by one value holds each next colour: no copy
    takes them apart.
    """
    channels = pixels.shape[1]
    total = np.zeros((channels, channels), np.int64)
    numbers = np.empty((min(len(pixels), _BLOCK), channels), np.float32)
    for start in range(0, len(pixels), len(numbers)):
        block = numbers[: len(pixels) - start]
        block[...] = pixels[start : start + len(numbers)]
        width = len(block) // _ROWS
        for part in (block[: _ROWS * width].reshape(_ROWS, width * channels), block[_ROWS * width :].reshape(1, -1)):
            for shift in range(channels if part.size else 0):
                last = part.shape[1] - shift
                sums = np.einsum("rc,rc->c", part[:, :last], part[:, shift:])
                for first in range(channels - shift):
                    total[first, first + shift] += int(sums[first::channels].sum(dtype=np.float64))
    return np.triu(total) + np.triu(total, 1).T


def statistics(found: PixelSums) -> Statistics:
    """Means and principal components of at least one picture.

    The covariance is of single pixels, divided by their number less one, as numpy.cov has it. An eigenvector's
    component of the largest size is positive, as its sign is arbitrary.
    """
    values, vectors = np.linalg.eigh(covariance(found))
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.where(vectors[largest, np.arange(len(values))] < 0, -1.0, 1.0)
    pixels = found.count * found.image.shape[0] * found.image.shape[1]
    return Statistics(
        mean_image=(found.image / found.count).astype(np.float32),
        mean_color=np.array([int(total) / pixels for total in found.image.sum(axis=(0, 1))], np.float64),
        eigenvalues=np.maximum(values, 0.0),  # of one colour only, rounding may leave -1e-15
        eigenvectors=vectors * signs,
    )


def covariance(found: PixelSums) -> NDArray[np.float64]:
    """[C, C], in Python's whole numbers up to the one division."""
    pixels = found.count * found.image.shape[0] * found.image.shape[1]
    totals = [int(total) for total in found.image.sum(axis=(0, 1))]
    scale = pixels * max(pixels - 1, 1)
    rows = [
        [(pixels * int(found.products[i, j]) - totals[i] * totals[j]) / scale for j in range(len(totals))]
        for i in range(len(totals))
    ]
    return np.array(rows, np.float64)
