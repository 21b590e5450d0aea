"""What the nets are proven on: ordinary and extreme pictures as the net's input, two at a time. Always the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from netspec.ir.shape import Maps

Batch = NDArray[np.float32]


def proof_inputs(shape: Maps, mean: tuple[float, ...]) -> Iterator[tuple[tuple[str, str], Batch]]:
    """Pairs of names and batches [2, channels, height, width], on the scale 0 to 255 less the mean colour."""
    random = np.random.default_rng(2012)
    colour = np.asarray(mean, np.float32).reshape(-1, 1, 1)
    pixels = random.integers(0, 256, shape.dims).astype(np.float32) - colour
    noise = random.standard_normal(shape.dims).astype(np.float32)
    yield ("random pixels", "unit noise"), np.stack([pixels, noise])
    zeros = np.zeros(shape.dims, np.float32)
    yield ("zeros", "white"), np.stack([zeros, zeros + np.float32(255) - colour])
    spike = zeros.copy()
    spike[:, shape.height // 2, shape.width // 2] = 1e4
    yield ("black", "one spike of 1e4"), np.stack([zeros - colour, spike])
