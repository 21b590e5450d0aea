"""Means and principal colours against numpy in float64, and their independence of order. No files."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from netspec_runtime.data.check import check_prepared
from netspec_runtime.data.open import open_prepared
from netspec_runtime.data.prepare import Options, prepare
from netspec_runtime.data.prepared import Statistics
from netspec_runtime.data.statistics import PixelSums, covariance, no_pictures, statistics, sums
from tests.data.raw import write_cifar10


def check_against_numpy(found: Statistics, images: NDArray[np.uint8]) -> None:
    """Means, and eigh of np.cov up to the vectors' signs."""
    pixels = images.reshape(-1, images.shape[3]).astype(np.float64)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(pixels.T)))
    np.testing.assert_array_equal(found.mean_image, images.mean(axis=0, dtype=np.float64).astype(np.float32))
    np.testing.assert_allclose(found.mean_color, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.eigenvalues, values, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(np.abs((found.eigenvectors * vectors).sum(axis=0)), 1, rtol=1e-9)


def test_sums_are_those_of_numpy() -> None:
    images = np.random.default_rng(0).integers(0, 256, (300, 31, 29, 3), np.uint8)  # more than one block of pixels
    found = sums(images)
    pixels = images.reshape(-1, 3).astype(np.int64)
    assert np.array_equal(found.image, images.sum(axis=0, dtype=np.int64))
    assert np.array_equal(found.products, pixels.T @ pixels)


def test_the_brightest_pixels_do_not_overflow() -> None:
    images = np.full((3, 300, 300, 3), 255, np.uint8)
    assert np.array_equal(sums(images).products, np.full((3, 3), 270_000 * 255 * 255))
    found = statistics(sums(images))
    assert found.mean_color.tolist() == [255.0] * 3
    assert found.eigenvalues.tolist() == [0.0] * 3


@given(st.lists(st.integers(0, 40), max_size=6), st.randoms())
def test_any_split_and_order_gives_the_same_sums(cuts: list[int], lots: random.Random) -> None:
    images = np.random.default_rng(1).integers(0, 256, (40, 3, 5, 3), np.uint8)
    edges = sorted({0, 40, *cuts})
    parts = [images[a:b] for a, b in itertools.pairwise(edges)]
    lots.shuffle(parts)
    total: PixelSums = no_pictures((3, 5, 3))
    for part in parts:
        total += sums(part)
    whole = sums(images)
    assert total.count == whole.count
    assert np.array_equal(total.image, whole.image)
    assert np.array_equal(total.products, whole.products)


@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_are_those_of_numpy(channels: int) -> None:
    images = np.random.default_rng(2).integers(0, 200, (12, 9, 11, channels), np.uint8)
    images[..., 0] += images[..., -1] // 4
    check_against_numpy(statistics(sums(images)), images)


def test_covariance_of_one_pixel_is_zero() -> None:
    assert not covariance(sums(np.full((1, 1, 1, 3), 9, np.uint8))).any()


def test_signs_do_not_depend_on_the_library() -> None:
    found = statistics(sums(np.random.default_rng(4).integers(0, 256, (5, 6, 7, 3), np.uint8)))
    largest = found.eigenvectors[np.abs(found.eigenvectors).argmax(axis=0), range(3)]
    assert (largest > 0).all()


def test_batches_like_cifars(tmp_path: Path) -> None:
    images, _ = write_cifar10(tmp_path / "raw", 40)
    prepare([tmp_path / "raw"], tmp_path / "out", Options(), lambda done, total, bad: None)
    check_against_numpy(open_prepared(tmp_path / "out").statistics, images[:200])


@pytest.mark.soak
def test_all_of_cifar10(tmp_path: Path, cifar10: Path) -> None:
    prepare([cifar10], tmp_path / "out", Options(), lambda done, total, bad: None)
    data = check_prepared(tmp_path / "out")
    assert (len(data.splits["train"]), len(data.splits["test"])) == (50_000, 10_000)
    rows = [np.fromfile(cifar10 / f"data_batch_{n}.bin", np.uint8).reshape(-1, 3073) for n in range(1, 6)]
    pixels = np.concatenate(rows)[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    assert np.array_equal(data.splits["train"].images, pixels)
    assert np.array_equal(data.splits["train"].labels, np.concatenate(rows)[:, 0])
    check_against_numpy(data.statistics, pixels)
