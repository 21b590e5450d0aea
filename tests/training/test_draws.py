"""The draws as functions of seed, purpose and number, and their distributions. Bounds hold with room for chance."""

from __future__ import annotations

import numpy as np
import pytest

from netspec_runtime.training.draws import (
    Purpose,
    amplitudes,
    crop_offsets,
    draw_key,
    epoch_order,
    generator,
    reflections,
)

ORDER = [3, 6, 0, 7, 5, 2, 4, 1]
OFFSETS = [[10, 1, 32, 19], [4, 4, 17, 13]]
REFLECTIONS = [1, 1, 0, 0, 1, 1, 1, 0]
AMPLITUDES = [-0.4461724712912253, 0.21818517033744217, 0.5024971351172033]
KEY = 1324726725


def test_streams_differ_in_seed_purpose_and_number_and_in_nothing_else() -> None:
    keys = [(seed, purpose, number) for seed in (0, 1, 2**63) for purpose in Purpose for number in (0, 1, 10**6)]
    draws = [generator(*key).integers(0, 2**62, 4).tobytes() for key in keys]
    assert len(set(draws)) == len(keys)
    assert draws == [generator(*key).integers(0, 2**62, 4).tobytes() for key in keys]


def test_numbers_are_those_of_the_first_release() -> None:
    """A run is resumed by drawing again: other numbers would be another run."""
    assert epoch_order(7, 3, 8).tolist() == ORDER
    assert [values.tolist() for values in crop_offsets(7, 3, 4, (33, 33))] == OFFSETS
    assert reflections(7, 3, 8).astype(int).tolist() == REFLECTIONS
    assert amplitudes(7, 3, 1, 3)[0].tolist() == pytest.approx(AMPLITUDES, abs=1e-12)
    assert draw_key(7, 3) == KEY


def test_every_epoch_uses_each_picture_once_in_an_order_of_its_own() -> None:
    orders = [epoch_order(seed, epoch, 100) for seed in (0, 1) for epoch in range(3)]
    assert all(sorted(order) == list(range(100)) for order in orders)
    assert len({order.tobytes() for order in orders}) == len(orders)


def test_orders_are_uniform() -> None:
    places = np.array([epoch_order(1, epoch, 6) for epoch in range(3000)])
    for place in range(6):
        assert chi_square(np.bincount(places[:, place], minlength=6)) < 30  # 5 degrees: p = 1.5e-5


def test_offsets_are_uniform_over_all_places() -> None:
    tops, lefts = (np.concatenate(all_steps) for all_steps in zip(*(offsets(step) for step in range(400)), strict=True))
    assert (tops.min(), tops.max(), lefts.min(), lefts.max()) == (0, 3, 0, 6)
    cells = np.bincount(tops * 7 + lefts, minlength=28)
    assert chi_square(cells) < 75  # 27 degrees: p = 2e-6


def offsets(step: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], ...]:
    return crop_offsets(3, step, 64, (4, 7))


def test_half_of_the_pictures_are_reflected_whatever_their_patch() -> None:
    mirrored = np.concatenate([reflections(3, step, 64) for step in range(400)])
    tops = np.concatenate([offsets(step)[0] for step in range(400)])
    cells = np.bincount(tops * 2 + mirrored, minlength=8)
    assert chi_square(cells) < 45  # 7 degrees: p = 1.4e-7


def test_amplitudes_are_normal_and_independent() -> None:
    alphas = np.concatenate([amplitudes(3, step, 128, 3) for step in range(300)])
    count = len(alphas)
    assert np.abs(alphas.mean(0)).max() < 5 / count**0.5
    np.testing.assert_allclose(np.cov(alphas.T), np.eye(3), atol=5 * (2 / count) ** 0.5)
    assert np.mean(np.abs(alphas) < 1) == pytest.approx(0.6827, abs=0.01)


def test_keys_of_dropout_are_below_two_to_the_31_and_never_alike() -> None:
    keys = {draw_key(seed, step) for seed in range(3) for step in range(200)}
    assert len(keys) == 600
    assert min(keys) >= 0
    assert max(keys) < 2**31
    assert max(keys) > 2**30


def chi_square(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum())
