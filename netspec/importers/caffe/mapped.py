"""Binary files mapped into memory, and long lists of numbers in them as arrays. It knows no messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from netspec_runtime.errors import DataError
from netspec_runtime.wire import BYTES, FIXED32, FIXED64, Field, WireError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32] | NDArray[np.float64]

FIX: Final = "give a file that Caffe wrote, or fetch this one again"

_OTHERS: Final = {  # how files begin that are taken for Caffe's
    b"\x89HDF": ("an HDF5 file", "save the net as .caffemodel in Caffe, or its weights as .safetensors"),
    b"PK\x03\x04": ("a ZIP archive", "unpack it"),
    b"\x1f\x8b": ("a gzip archive", "unpack it"),
    b"version https://git-lfs": ("a Git LFS pointer and not the file", "fetch the file: git lfs pull"),
    b"<": ("a web page", "fetch the file itself"),
}
_FIRST_RUN: Final = 64


def map_file(path: Path) -> mmap:
    """The bytes of a file, mapped. Raises DataError where it cannot be, or begins as another kind of file."""
    try:
        if path.exists() and not path.is_file():
            raise DataError(str(path), "this is no file", "give the path of a file")
        with path.open("rb") as file:
            data = mmap(file.fileno(), 0, access=ACCESS_READ)
    except OSError as error:
        raise DataError(str(path), f"cannot read: {error.strerror}", "give the path of a file") from None
    except ValueError as error:  # an empty file cannot be mapped, and a path with a null character is none
        raise DataError(str(path), f"cannot read: {error}", FIX) from None
    for start, (kind, fix) in _OTHERS.items():
        if data[: len(start)] == start:
            raise DataError(str(path), f"it is {kind}", fix)
    return data


@dataclass
class Numbers:
    """The values of a repeated field of float or double, packed or not, as they are met: views of ``data``."""

    data: mmap
    double: bool
    chunks: list[Floats] = field(default_factory=list)

    def take(self, field: Field, end: int) -> int:
        """Add the numbers at a field, and at those behind it that are of the same kind; returns the offset behind.

        Raises WireError where a packed list holds no whole number of values.
        """
        if field.kind == BYTES:
            self.chunks.append(self._packed(field.body, field.end))
            return field.end
        if field.kind == (FIXED64 if self.double else FIXED32):
            return self._run(field, end)
        return field.end  # as protobuf: a value of another kind is a field that is not known

    def floats(self) -> NDArray[np.float32]:
        """All of them: the view itself where there is one, else a copy."""
        import numpy as np

        with np.errstate(all="ignore"):  # a double may have no float32
            if len(self.chunks) == 1:
                return self.chunks[0].astype(np.float32, copy=False)
            return np.concatenate([np.empty(0, np.float32), *self.chunks], dtype=np.float32, casting="same_kind")

    @property
    def _type(self) -> str:
        return "<f8" if self.double else "<f4"

    def _packed(self, start: int, end: int) -> Floats:
        import numpy as np

        size = 8 if self.double else 4
        if (end - start) % size:
            raise WireError(f"{end - start:,} bytes at byte {start} are no list of numbers of {size} bytes")
        numbers: Floats = np.frombuffer(self.data, self._type, (end - start) // size, start)
        return numbers

    def _run(self, field: Field, end: int) -> int:
        """The values of fields with the same tag that follow each other: looked at in twice as long stretches."""
        import numpy as np

        width = field.end - field.start
        if field.body - field.start != 1:  # never written so: a tag that is longer than it must be
            self.chunks.append(np.frombuffer(self.data, self._type, 1, field.body))
            return field.end
        tag, most = self.data[field.start], (end - field.start) // width
        pairs = np.dtype([("tag", "u1"), ("value", self._type)])
        count, stretch = 0, _FIRST_RUN
        while count < most and stretch:
            tags = np.frombuffer(self.data, pairs, min(stretch, most - count), field.start + count * width)["tag"]
            same = tags == tag
            count += len(same) if same.all() else int(same.argmin())
            stretch = 2 * stretch if same.all() else 0
        self.chunks.append(np.frombuffer(self.data, pairs, count, field.start)["value"])
        return field.start + count * width
