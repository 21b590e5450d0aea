"""The bytes of prepared files against what their manifest says of them. It looks at no pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from netspec_runtime.data.manifest import FileMark, read_manifest
from netspec_runtime.data.open import open_prepared
from netspec_runtime.data.prepared import PreparedData
from netspec_runtime.errors import DataError

_CHUNK: Final = 1 << 22  # bytes


def check_prepared(path: Path, progress: Callable[[int, int], object] = lambda done, total: None) -> PreparedData:
    """A prepared folder, opened after all of it was read: each file has the sha256 that it was written with.

    ``progress`` is told bytes read, of how many. Raises DataError that names the damaged files.
    """
    files = read_manifest(path).contents.files
    total, read, damaged = sum(mark.bytes for mark in files.values()), 0, list[str]()

    def count(more: int) -> None:
        nonlocal read
        read += more
        progress(read, total)

    for name, mark in files.items():
        if file_mark(path / name, count) != mark:
            damaged.append(name)
    if damaged:
        others = f", and those of {', '.join(damaged[1:])}" if damaged[1:] else ""
        reason = f"its bytes changed since it was prepared (sha256){others}"
        raise DataError(str(path / damaged[0]), reason, "prepare the data again, into a new folder")
    return open_prepared(path)


def file_mark(path: Path, seen: Callable[[int], object] = lambda more: None) -> FileMark:
    """Length and sha256 of a file; ``seen`` is told of more bytes. Raises DataError where it cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                seen(len(chunk))
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "check the disk and the path") from None
    return FileMark(size, digest.hexdigest())
