"""What the nets are proven on: ordinary and extreme pictures as the net's input, two at a time. Always the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from netspec.ir.shape import Maps

Batch = NDArray[np.float32]


def proof_inputs(
    shape: Maps, mean: tuple[float, ...], std: tuple[float, ...]
) -> Iterator[tuple[tuple[str, str], Batch]]:
    """Pairs of names and batches [2, channels, height, width]: pixels of 0 to 255, less the mean, over std."""
    random = np.random.default_rng(2012)

    def prepared(pixels: Batch) -> Batch:
        colour, scale = (np.asarray(numbers, np.float32).reshape(-1, 1, 1) for numbers in (mean, std))
        return np.broadcast_to((pixels - colour) / scale, shape.dims)

    pixels = prepared(random.integers(0, 256, shape.dims).astype(np.float32))
    noise = random.standard_normal(shape.dims).astype(np.float32)
    yield ("random pixels", "unit noise"), np.stack([pixels, noise])
    zeros = np.zeros(shape.dims, np.float32)
    yield ("zeros", "white"), np.stack([zeros, prepared(zeros + 255)])
    spike = zeros.copy()
    spike[:, shape.height // 2, shape.width // 2] = 1e4
    yield ("black", "one spike of 1e4"), np.stack([prepared(zeros), spike])
