"""Small drawn splits, their statistics and recipes for tests of the input. No tests here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.card import Channels
from netspec_runtime.data.prepared import Split, Statistics
from netspec_runtime.training.recipe import PictureRecipe

RECIPE = PictureRecipe(
    prepared=(12, 15),
    crop=(9, 10),
    channels=Channels.RGB,
    mirror=True,
    mean="color",
    std=None,
    noise=0.0,
    noise_of="eigenvalue",
    test_views=1,
)


def recipe(**changes: Any) -> PictureRecipe:
    return replace(RECIPE, **changes)


def split(count: int = 50, size: tuple[int, int] = (12, 15), colours: int = 3, seed: int = 0) -> Split:
    """Random pictures; those of one split are all different."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (count, *size, colours), dtype=np.uint8)
    return Split(images, generator.integers(0, 5, count))


def on_disk(folder: Path, pictures: Split) -> Split:
    """The same, mapped from a file as prepared data are."""
    np.save(folder / "train-images.npy", pictures.images)
    return Split(np.load(folder / "train-images.npy", mmap_mode="r"), pictures.labels)


def statistics(pictures: Split) -> Statistics:
    """By numpy. The pictures are noise, so components are given spread of their own to tell them apart."""
    colours = pictures.images.shape[3]
    basis, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(colours, colours)))
    return Statistics(
        mean_image=pictures.images.mean(0).astype(np.float32),
        mean_color=pictures.images.mean((0, 1, 2)),
        eigenvalues=np.array([400.0, 1400.0, 14830.0])[:colours],
        eigenvectors=basis,
    )


def slow_crop(image: NDArray[np.uint8], corner: tuple[int, int], crop: tuple[int, int]) -> NDArray[np.uint8]:
    """One patch, a pixel at a time."""
    patch = np.empty((*crop, image.shape[2]), np.uint8)
    for y in range(crop[0]):
        for x in range(crop[1]):
            patch[y, x] = image[corner[0] + y, corner[1] + x]
    return patch


def slow_reflection(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Left becomes right, a column at a time."""
    return np.stack([image[:, x] for x in range(image.shape[1] - 1, -1, -1)], axis=1)
