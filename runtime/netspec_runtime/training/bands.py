"""Lines of prepared pictures, read from their file or taken from memory. It cuts no columns.

A file is read, not used through its mapping: a mapped file that is cut short or a disk that fails kills the process
(SIGBUS) where a read is an error, and of data larger than memory a mapping reads page by page, in 4 KiB pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.data.prepared import Split
from netspec_runtime.errors import DataError

PREPARE_AGAIN = "prepare the data again with `netspec prepare`"
Band = NDArray[np.uint8]
Read = Callable[[NDArray[np.int64], NDArray[np.int64]], Band]


@contextmanager
def bands(split: Split, height: int) -> Iterator[Read]:
    """A function of pictures and the first line wanted of each: contiguous uint8 [n, height, W, C].

    They are valid until its next call. Raises IndexError for lines that no picture has, DataError where the file cannot
    be read.
    """
    images = split.images
    if not (isinstance(images, np.memmap) and images.mode == "r" and images.filename and _whole_pictures(images)):
        yield partial(_taken, images, height)
        return
    try:
        with FileIO(images.filename) as file:
            yield _FileBands(file, images, height)
    except OSError as error:
        raise DataError(source(split), f"cannot be read: {error.strerror}", PREPARE_AGAIN) from error


def source(split: Split) -> str:
    """The file of the pictures, for messages."""
    return str(getattr(split.images, "filename", None) or "the pictures")


def _taken(images: NDArray[np.uint8], height: int, ids: NDArray[np.int64], tops: NDArray[np.int64]) -> Band:
    return np.ascontiguousarray(images[ids[:, None], tops[:, None] + np.arange(height)])


def _whole_pictures(images: NDArray[np.uint8]) -> bool:
    """Whether the bytes of each picture lie together."""
    _, _, width, colours = images.shape
    return images.strides[1:] == (width * colours, colours, 1)


class _FileBands:
    """Reads from an open file into a buffer of its own."""

    def __init__(self, file: FileIO, images: np.memmap[tuple[int, ...], np.dtype[np.uint8]], height: int) -> None:
        self._file, self._name = file, Path(str(images.filename))
        self._start = _file_offset(images)
        self._picture, self._line = images.strides[:2]
        self._count, self._last_top = images.shape[0], images.shape[1] - height
        self._buffer = np.empty((0, height, *images.shape[2:]), np.uint8)

    def __call__(self, ids: NDArray[np.int64], tops: NDArray[np.int64]) -> Band:
        if not _within(ids, self._count - 1) or not _within(tops, self._last_top):
            raise IndexError("lines that no picture has")
        if len(self._buffer) < len(ids):
            self._buffer = np.empty((len(ids), *self._buffer.shape[1:]), np.uint8)
        band = self._buffer[: len(ids)]
        places = (self._start + ids * self._picture + tops * self._line).tolist()
        for place, lines in zip(places, band, strict=True):
            self._file.seek(place)
            if self._file.readinto(lines) != lines.nbytes:
                raise DataError(str(self._name), "the file has become shorter while in use", PREPARE_AGAIN)
        return band


def _within(places: NDArray[np.int64], last: int) -> bool:
    return len(places) == 0 or (places.min() >= 0 and places.max() <= last)


def _file_offset(images: np.memmap[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    """Where the first picture begins in the file. A part of a mapped array still has the ``offset`` of the whole."""
    whole = images
    while isinstance(whole.base, np.memmap):
        whole = whole.base
    return whole.offset + images.ctypes.data - whole.ctypes.data
