"""Arrays in memory become a prepared folder; the small files that every prepared folder has are written here too.

It decodes nothing: prepare.py streams pictures, and finishes with the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.data.manifest import (
    JOURNAL,
    MEAN_IMAGE,
    QUARANTINE,
    SPLITS,
    UNLABELLED_NAMES,
    ColorFigures,
    Contents,
    FileMark,
    Manifest,
    Origin,
    images_file,
    labels_file,
)
from netspec_runtime.data.open import open_prepared
from netspec_runtime.data.prepared import MANIFEST, PreparedData, Split, Statistics
from netspec_runtime.data.statistics import PixelSums, statistics, sums
from netspec_runtime.errors import DataError
from netspec_runtime.files import disk_errors, remove_stale, write_file

HEADER: Final = 128  # bytes before the first number of each array file
_OURS: Final = (
    *(MANIFEST, MEAN_IMAGE, QUARANTINE, UNLABELLED_NAMES, JOURNAL),
    *map(images_file, SPLITS),
    *map(labels_file, SPLITS),
)
_PART: Final = 1 << 12  # pictures summed at once


def write_arrays(
    folder: Path, classes: tuple[str, ...], splits: Mapping[str, Split], origin: Origin, *, replace: bool = False
) -> PreparedData:
    """A prepared folder of pictures in memory; the statistics are of `train`, or of `test` if there is no other.

    The folder must be new or empty, or with ``replace`` hold prepared data. A split without pictures is left out.
    `prepared.json` is written last. Raises DataError.
    """
    claim(folder, replace=replace)
    marks: dict[str, FileMark] = {}
    order = [name for name in SPLITS if name in splits and len(splits[name])]
    if not order:
        raise DataError(str(folder), "there are no pictures to write", "give some")
    for name in order:
        for file, array in ((images_file(name), splits[name].images), (labels_file(name), splits[name].labels)):
            marks[file] = write_marked(folder / file, npy_header(array.dtype, array.shape), array)
    counts = {name: len(splits[name]) for name in order}
    finish(folder, classes, counts, marks, sum_in_parts(splits[order[0]].images), origin, ())
    return open_prepared(folder)


def claim(folder: Path, *, replace: bool) -> None:
    """Make the folder, or with ``replace`` empty it of prepared data, whole or unfinished.

    Raises DataError where anything else is in it: that is never removed.
    """
    with disk_errors(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
        remove_stale(folder, _OURS)
        names = {path.name for path in folder.iterdir()}
        ours = set(_OURS) if replace and names & {MANIFEST, JOURNAL} else set()
        others = sorted(names - ours)
        if not others:
            for name in _OURS:  # the manifest first: without it, nothing is taken for whole
                (folder / name).unlink(missing_ok=True)
    if others:
        reason = f"the folder is not empty: it has {others[0]}" + f" and {len(others) - 1} more" * (len(others) > 1)
        raise DataError(str(folder), reason, "choose a new folder")


def tidy(folder: Path) -> None:
    """Remove what a killed process left half-written, in a folder that nobody else prepares into. Raises DataError."""
    with disk_errors(folder, 0):
        remove_stale(folder, _OURS)


def finish(
    folder: Path,
    classes: tuple[str, ...],
    counts: Mapping[str, int],
    marks: Mapping[str, FileMark],
    found: PixelSums,
    origin: Origin,
    quarantined: tuple[str, ...],
) -> Manifest:
    """Write mean image and quarantine list beside the splits' files, and then the manifest. Raises DataError."""
    figures = statistics(found)
    mean = figures.mean_image
    small = {
        MEAN_IMAGE: write_marked(folder / MEAN_IMAGE, npy_header(mean.dtype, mean.shape), mean),
        QUARANTINE: write_marked(folder / QUARANTINE, "".join(f"{line}\n" for line in quarantined).encode()),
    }
    height, width, channels = mean.shape
    contents = Contents(
        (height, width), channels, classes, dict(counts), color_figures(next(iter(counts)), figures), {**marks, **small}
    )
    manifest = Manifest(contents, origin)
    write_file(folder / MANIFEST, [manifest.text().encode()])
    return manifest


def color_figures(of: str, figures: Statistics) -> ColorFigures:
    """What of the statistics goes into the manifest; ``of`` is the split."""
    rows: list[list[float]] = figures.eigenvectors.tolist()
    return ColorFigures(
        of, tuple(figures.mean_color.tolist()), tuple(figures.eigenvalues.tolist()), tuple(map(tuple, rows))
    )


def sum_in_parts(images: NDArray[np.uint8]) -> PixelSums:
    """The sums of uint8 [N, H, W, C], N at least 1, which may be larger than memory."""
    found = sums(images[:_PART])
    for start in range(_PART, len(images), _PART):
        found += sums(images[start : start + _PART])
    return found


def npy_header(dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> bytes:
    """The start of a .npy file of version 1.0, HEADER bytes for any shape: so the number of rows can be put in last."""
    text = repr({"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
    room = HEADER - 11
    return b"\x93NUMPY\x01\x00" + (room + 1).to_bytes(2, "little") + text.encode().ljust(room) + b"\n"


def write_marked(path: Path, *parts: bytes | NDArray[np.generic]) -> FileMark:
    """A file of bytes and of arrays' bytes, as `write_file` puts it there; returns its mark. Raises DataError."""
    views = [memoryview(part) if isinstance(part, bytes) else _bytes(part) for part in parts]
    return FileMark(sum(map(len, views)), write_file(path, views))


def _bytes(array: NDArray[np.generic]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
