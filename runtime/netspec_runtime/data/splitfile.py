"""The growing array file of one split: rows are appended, hashed, and brought to the disk. It decodes nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.data.check import file_mark
from netspec_runtime.data.frame import Chunk, Frame
from netspec_runtime.data.manifest import FileMark
from netspec_runtime.data.statistics import sums
from netspec_runtime.data.write import HEADER, npy_header
from netspec_runtime.errors import DataError
from netspec_runtime.files import disk_errors, refusal

_UINT8 = np.dtype(np.uint8)


class SplitFile:
    """uint8 [N, H, W, C] as .npy, where N is known only at the end: at most ``expected``. Close it.

    ``kept`` rows of an earlier run stay; they are handed in again (``replay``) to be hashed. Raises DataError.
    """

    def __init__(self, path: Path, frame: Frame, expected: int, kept: int) -> None:
        self.path = path
        self._frame = frame
        self._expected = expected
        self._digest = hashlib.sha256(self._header(expected))
        self._rows = 0  # hashed
        self._kept = kept
        self._file = self._open()

    def _open(self) -> BinaryIO:
        size = HEADER + self._kept * self._frame.bytes
        with disk_errors(self.path, size):
            if self._kept and not (self.path.is_file() and self.path.stat().st_size >= size):
                reason = "it is shorter than what was prepared of it"
                raise DataError(str(self.path), reason, "remove the folder, and prepare again")
            file = self.path.open("r+b" if self._kept else "w+b", buffering=0)
            file.write(self._header(self._expected))
            file.truncate(size)
            file.seek(size)
        return file

    def _header(self, rows: int) -> bytes:
        return npy_header(_UINT8, (rows, *self._frame.shape))

    def replay(self, start: int, stop: int, *, summed: bool) -> Chunk:
        """Rows that an earlier run wrote. For any thread."""
        with self.path.open("rb") as file:
            file.seek(HEADER + start * self._frame.bytes)
            data = np.fromfile(file, np.uint8, (stop - start) * self._frame.bytes)
        pixels = data.reshape(stop - start, *self._frame.shape)
        return Chunk(pixels, sums(pixels) if summed else None, ())

    def append(self, pixels: NDArray[np.uint8]) -> None:
        """Rows in order, from the first; those that are there already are only hashed."""
        content = np.ascontiguousarray(pixels).reshape(-1).data
        self._digest.update(content)
        self._rows += len(pixels)
        if self._rows > self._kept:
            self._write(content)

    def _write(self, content: memoryview) -> None:
        try:
            while content:
                content = content[self._file.write(content) :]
        except OSError as error:
            raise refusal(self.path, error, self.missing()) from error

    def missing(self) -> int:
        """Bytes that the disk lacks for the rest of this file, as far as it says; else all of the rest."""
        rest = HEADER + self._expected * self._frame.bytes - self._file.tell()
        free = shutil.disk_usage(self.path.parent).free
        return rest - free if rest > free else rest

    def sync(self) -> None:
        """Bring all rows to the disk."""
        with disk_errors(self.path, 0):
            os.fsync(self._file.fileno())

    def finish(self) -> FileMark:
        """Put the true number of rows into the file. Where pictures were bad, the hash takes reading it all again."""
        with disk_errors(self.path, 0):
            if self._rows != self._expected:
                self._file.seek(0)
                self._file.write(self._header(self._rows))
            os.fsync(self._file.fileno())
        if self._rows != self._expected:
            return file_mark(self.path)
        return FileMark(HEADER + self._rows * self._frame.bytes, self._digest.hexdigest())

    def close(self) -> None:
        self._file.close()
