"""Data sets as people have them, written small: folders, tars, batches, MATLAB files. It reads nothing."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def noise(seed: int, height: int = 20, width: int = 24, channels: int = 3) -> Pixels:
    """Smooth enough for JPEG, different for each seed."""
    rows, columns = np.mgrid[:height, :width]
    slopes = np.random.default_rng(seed).integers(1, 9, (channels, 3))
    planes = [rows * a + columns * b + 20 * c for a, b, c in slopes]
    return (np.stack(planes, axis=-1) % 256).astype(np.uint8)


def encoded(seed: int, height: int = 20, width: int = 24, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(seed, height, width)).save(stream, kind)
    return stream.getvalue()


def write_folder(root: Path, classes: Mapping[str, int], height: int = 20, width: int = 24, seed: int = 0) -> Path:
    """A folder for each class, with so many pictures."""
    for name, count in classes.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            seed += 1
            (root / name / f"{number:03}.png").write_bytes(encoded(seed, height, width))
    return root


def tar(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def write_cifar10(root: Path, records: int = 7) -> tuple[Pixels, NDArray[np.int64]]:
    """Five training batches and a test batch; returns their pictures [N, 32, 32, 3] and labels in order."""
    root.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(3)
    images = generator.integers(0, 256, (6 * records, 32, 32, 3), np.uint8)
    images[..., 1] = images[..., 0] // 2 + images[..., 1] // 4  # so that the colours depend on each other
    labels = generator.integers(0, 10, 6 * records).astype(np.int64)
    names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    for batch, name in enumerate(names):
        part = range(batch * records, (batch + 1) * records)
        rows = (bytes([labels[i]]) + images[i].transpose(2, 0, 1).tobytes() for i in part)
        (root / name).write_bytes(b"".join(rows))
    (root / "batches.meta.txt").write_text("\n".join("abcdefghij") + "\n\n")
    return images, labels


def idx(array: Pixels, *, zipped: bool) -> bytes:
    head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes()) if zipped else head + array.tobytes()


def mat(name: str, rows: list[dict[str, str | float]], *, compressed: bool = True) -> bytes:
    """A MATLAB 5 file with one struct array."""
    fields = list(rows[0])
    width = max(map(len, fields)) + 1
    body = _element(6, struct.pack("<II", 2, 0)) + _element(5, struct.pack("<ii", len(rows), 1))
    body += _element(1, name.encode()) + struct.pack("<HHi", 5, 4, width)
    body += _element(1, b"".join(field.encode().ljust(width, b"\0") for field in fields))
    body += b"".join(_value(row[field]) for row in rows for field in fields)
    variable = _element(14, body)
    if compressed:
        packed = zlib.compress(variable)
        variable = struct.pack("<II", 15, len(packed)) + packed
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM" + variable


def _value(value: str | float) -> bytes:
    if isinstance(value, str):
        head = _element(6, struct.pack("<II", 4, 0)) + _element(5, struct.pack("<ii", 1, len(value)))
        return _element(14, head + _element(1, b"") + _element(4, value.encode("utf-16-le")))
    head = _element(6, struct.pack("<II", 6, 0)) + _element(5, struct.pack("<ii", 1, 1))
    return _element(14, head + _element(1, b"") + _element(9, struct.pack("<d", value)))


def _element(kind: int, data: bytes) -> bytes:
    if 0 < len(data) <= 4:
        return struct.pack("<HH", kind, len(data)) + data.ljust(4, b"\0")
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)
