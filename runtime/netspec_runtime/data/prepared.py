"""The prepared form of a data set, as opened: uint8 arrays on disk, labels, and statistics of the training pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MANIFEST = "prepared.json"
UNLABELLED = -1


@dataclass(frozen=True)
class Statistics:
    """Of the training pictures, on the scale 0 to 255, colours in the order of the arrays (R, G, B, or one grey).

    ``mean_image`` is float32 [H, W, C], ``mean_color`` float64 [C]; ``eigenvalues`` [C] ascend, ``eigenvectors`` [C, C]
    has them as columns: the principal components of the pixels' covariance (paper 4.1).
    """

    mean_image: NDArray[np.float32]
    mean_color: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]
    eigenvectors: NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """Pictures of one kind (`train`, `test`): uint8 [N, H, W, C], mapped from disk, and labels int64 [N].

    A label is a place in the data's classes, or UNLABELLED.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class PreparedData:
    """A prepared folder. ``digest`` is the sha256 of what its manifest says, so of all contents.

    ``held_out_of`` is `manifest.Origin`'s: which raw pictures without a test split these were, or were a part of.
    """

    path: Path
    classes: tuple[str, ...]
    splits: dict[str, Split]
    statistics: Statistics
    digest: str
    held_out_of: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures."""
        height, width = next(iter(self.splits.values())).images.shape[1:3]
        return height, width

    def unlabelled(self, split: str) -> int:
        """How many pictures of a split have no label."""
        return int((self.splits[split].labels == UNLABELLED).sum()) if split in self.splits else 0

    def absent(self, split: str) -> tuple[str, ...]:
        """The classes of which a split has no picture."""
        there = set(np.unique(self.splits[split].labels).tolist()) if split in self.splits else set()
        return tuple(name for number, name in enumerate(self.classes) if number not in there)

    @property
    def channels(self) -> int:
        return int(next(iter(self.splits.values())).images.shape[3])
