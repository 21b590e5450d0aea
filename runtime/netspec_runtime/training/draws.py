"""The random numbers of a training run, a pure function of seed, purpose and epoch or step. It cuts no pictures."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_WORD = 2**64


class Purpose(IntEnum):
    """What numbers are for: drawing more of one kind never changes those of another."""

    ORDER = 0
    TOP = 1
    LEFT = 2
    MIRROR = 3
    NOISE = 4
    DROPOUT = 5


def generator(seed: int, purpose: Purpose, number: int) -> np.random.Generator:
    """A stream of its own for each seed, purpose and ``number`` (of an epoch or a step), on any machine.

    Philox is a cipher of a 256-bit counter: the number is its highest word, so streams never meet. Seeds are taken
    modulo 2^64.
    """
    key = np.array([seed % _WORD, purpose], np.uint64)
    counter = np.array([0, 0, 0, number], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The places of a split's ``count`` pictures in the order in which this epoch uses them, int64 [count]."""
    return generator(seed, Purpose.ORDER, epoch).permutation(count)


def crop_offsets(seed: int, step: int, count: int, places: tuple[int, int]) -> tuple[NDArray[np.int64], ...]:
    """Tops and lefts of a step's crops, int64 [count] each, uniform over ``places`` (rows, columns)."""
    rows, columns = places
    tops = generator(seed, Purpose.TOP, step).integers(0, rows, count)
    return tops, generator(seed, Purpose.LEFT, step).integers(0, columns, count)


def reflections(seed: int, step: int, count: int) -> NDArray[np.bool_]:
    """Which of a step's crops are reflected left to right: each with probability 1/2."""
    return generator(seed, Purpose.MIRROR, step).integers(0, 2, count).astype(np.bool_)


def amplitudes(seed: int, step: int, count: int, components: int) -> NDArray[np.float64]:
    """The alphas of the colour noise before their standard deviation: normal, [count, components] (paper 4.1)."""
    return generator(seed, Purpose.NOISE, step).standard_normal((count, components))


def draw_key(seed: int, step: int) -> int:
    """What dropout draws from in this step, below 2^31."""
    return int(generator(seed, Purpose.DROPOUT, step).integers(0, 2**31))
