"""A prepared folder becomes arrays mapped from disk, after checks. It reads no raw pictures and writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.data.manifest import (
    MEAN_IMAGE,
    PREPARE_ANEW,
    SPLITS,
    ColorFigures,
    Contents,
    FileMark,
    images_file,
    labels_file,
    read_manifest,
)
from netspec_runtime.data.prepared import MANIFEST, UNLABELLED, PreparedData, Split, Statistics
from netspec_runtime.errors import DataError

_T = TypeVar("_T", bound=np.generic)


def is_prepared(path: Path) -> bool:
    """Whether this is a folder that `prepare` finished."""
    return (path / MANIFEST).is_file()


def open_prepared(path: Path) -> PreparedData:
    """The arrays of a prepared folder. Raises DataError.

    Sizes, types and labels are checked; `check_prepared` reads all of it.
    """
    manifest = read_manifest(path)
    contents = manifest.contents
    for name, mark in contents.files.items():
        _check(path / name, mark)
    shape = (*contents.size, contents.channels)
    splits = {name: _split(path, contents, name) for name in SPLITS if name in contents.counts}
    if not splits:
        raise DataError(str(path), "it is damaged: it has no pictures", PREPARE_ANEW)
    mean = np.array(_array(path / MEAN_IMAGE, np.dtype(np.float32), shape))
    figures = _statistics(contents.statistics, mean)
    return PreparedData(path, contents.classes, splits, figures, contents.digest, manifest.origin.held_out_of)


def _check(path: Path, mark: FileMark) -> None:
    if not path.is_file():
        raise DataError(str(path), "this file of the prepared data is missing", PREPARE_ANEW)
    size = path.stat().st_size
    if size != mark.bytes:
        raise DataError(str(path), f"it has {size:,} bytes and not {mark.bytes:,}", PREPARE_ANEW)


def _split(path: Path, contents: Contents, name: str) -> Split:
    count = contents.counts[name]
    images = _array(path / images_file(name), np.dtype(np.uint8), (count, *contents.size, contents.channels))
    labels = np.array(_array(path / labels_file(name), np.dtype(np.int64), (count,)))
    if count and not (labels.min() >= UNLABELLED and labels.max() < len(contents.classes)):
        reason = f"labels from {labels.min()} to {labels.max()}, of {len(contents.classes)} classes"
        raise DataError(str(path / labels_file(name)), reason, PREPARE_ANEW)
    return Split(images, labels)


def _array(path: Path, dtype: np.dtype[_T], shape: tuple[int, ...]) -> NDArray[_T]:
    """Mapped for reading. numpy itself checks that the file is long enough."""
    try:
        array: NDArray[_T] = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(str(path), error.strerror or "cannot be read", "check the path") from error
    except (ValueError, EOFError) as error:
        raise DataError(str(path), "it is damaged: no array in numpy's format", PREPARE_ANEW) from error
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        found = f"{array.dtype} {list(array.shape)}"
        raise DataError(str(path), f"it holds {found}, and not {dtype} {list(shape)}", PREPARE_ANEW)
    return array


def _statistics(figures: ColorFigures, mean_image: NDArray[np.float32]) -> Statistics:
    return Statistics(
        mean_image=mean_image,
        mean_color=np.array(figures.mean_color, np.float64),
        eigenvalues=np.array(figures.eigenvalues, np.float64),
        eigenvectors=np.array(figures.eigenvectors, np.float64),
    )
