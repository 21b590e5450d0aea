"""Lines of prepared pictures, read from their file or taken from memory. It cuts no columns.

A file is read, not used through its mapping: a mapped file that is cut short or a disk that fails kills the process
(SIGBUS) where a read is an error, and of data larger than memory a mapping reads page by page, in 4 KiB pieces. It is
opened once, as long as it is the mapped one: a folder that is prepared anew has other files of the same names, and
their pictures are not those of the labels here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from mmap import mmap
from threading import Lock
from typing import Final, TypeGuard, cast
from weakref import WeakKeyDictionary, finalize

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.data.prepared import Split
from netspec_runtime.errors import DataError

PREPARE_AGAIN = "prepare the data again with `netspec prepare`"
Band = NDArray[np.uint8]
Read = Callable[[NDArray[np.int64], NDArray[np.int64]], Band]
_Mapped = np.memmap[tuple[int, ...], np.dtype[np.uint8]]

_COMPARED: Final = 8  # pictures
_opened: Final[WeakKeyDictionary[mmap, int]] = WeakKeyDictionary()  # descriptors, closed with their mappings
_opening: Final = Lock()


def hold(split: Split) -> None:
    """Open the file of mapped pictures now, so that nothing takes its place before they are read.

    Raises DataError where that has happened, or the file cannot be read.
    """
    if _in_file(split.images):
        with _reading(split):
            _descriptor(split.images)


@contextmanager
def bands(split: Split, height: int) -> Iterator[Read]:
    """A function of pictures and the first line wanted of each: contiguous uint8 [n, height, W, C].

    They are valid until its next call. Raises IndexError for lines that no picture has, DataError where the file cannot
    be read.
    """
    images = split.images
    if not _in_file(images):
        yield partial(_taken, images, height)
        return
    with _reading(split):
        yield _FileBands(_descriptor(images), images, height)


def source(split: Split) -> str:
    """The file of the pictures, for messages."""
    return str(getattr(split.images, "filename", None) or "the pictures")


def _taken(images: NDArray[np.uint8], height: int, ids: NDArray[np.int64], tops: NDArray[np.int64]) -> Band:
    return np.ascontiguousarray(images[ids[:, None], tops[:, None] + np.arange(height)])


@contextmanager
def _reading(split: Split) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(source(split), f"cannot be read: {error.strerror}", PREPARE_AGAIN) from error


def _in_file(images: NDArray[np.uint8]) -> TypeGuard[_Mapped]:
    """Whether they are mapped from a file in which the bytes of each picture lie together."""
    if not (isinstance(images, np.memmap) and images.mode == "r" and images.filename):
        return False
    _, _, width, colours = images.shape
    return images.strides[1:] == (width * colours, colours, 1)


def _descriptor(images: _Mapped) -> int:
    """That of the mapped file."""
    whole, mapping = _origin(images)
    with _opening:
        if mapping not in _opened:
            descriptor = os.open(str(images.filename), os.O_RDONLY | os.O_CLOEXEC)
            finalize(mapping, os.close, descriptor)
            _require_mapped(descriptor, whole, mapping)
            _opened[mapping] = descriptor
        return _opened[mapping]


def _require_mapped(descriptor: int, whole: _Mapped, mapping: mmap) -> None:
    """Raise DataError unless this is the file of the mapping, as far as some of the pictures tell."""
    size = whole.offset + whole.nbytes
    if min(os.fstat(descriptor).st_size, mapping.size()) < size:  # to touch the mapping may be the end
        raise _shorter(str(whole.filename))
    content, each = whole.reshape(len(whole), -1), whole.nbytes // max(1, len(whole))
    places = range(0, len(whole), max(1, len(whole) // _COMPARED))
    if not all(os.pread(descriptor, each, whole.offset + n * each) == content[n].tobytes() for n in places):
        fix = "start again; while a run goes on, prepare other data into other folders"
        raise DataError(str(whole.filename), "another file has taken its place", fix)


def _shorter(file: str) -> DataError:
    return DataError(file, "the file has become shorter while in use", PREPARE_AGAIN)


def _origin(images: _Mapped) -> tuple[_Mapped, mmap]:
    """The whole array of which these are a part, and its mapping."""
    whole = images
    while isinstance(whole.base, np.memmap):
        whole = whole.base
    return whole, cast(mmap, whole.base)


class _FileBands:
    """Reads from an open file into a buffer of its own."""

    def __init__(self, descriptor: int, images: _Mapped, height: int) -> None:
        whole, self._mapping = _origin(images)  # whose descriptor it is
        self._descriptor, self._name = descriptor, str(images.filename)
        self._start = whole.offset + images.ctypes.data - whole.ctypes.data
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
            if os.preadv(self._descriptor, [lines], place) != lines.nbytes:
                raise _shorter(self._name)
        return band


def _within(places: NDArray[np.int64], last: int) -> bool:
    return len(places) == 0 or (places.min() >= 0 and places.max() <= last)
