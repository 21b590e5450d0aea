"""CIFAR-10 and CIFAR-100 as binary batches. The versions for Python (pickles) and Matlab are not read.

https://www.cs.toronto.edu/~kriz/cifar.html: a record is one byte of label (two in CIFAR-100: coarse, fine) and 3072 of
pixels, planes R, G, B of 32 x 32.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from netspec_runtime.data.manifest import TEST, TRAIN
from netspec_runtime.data.source import RawPictures, Source, file_state
from netspec_runtime.errors import DataError

_PIXELS: Final = 3 * 32 * 32


@dataclass(frozen=True)
class _Layout:
    """The files of one of the two data sets; a record's label is the last of ``label_bytes``."""

    name: str
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str
    label_bytes: int
    classes: int


_LAYOUTS: Final = (
    _Layout(
        "CIFAR-10",
        "cifar-10-batches-bin",
        tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        ("test_batch.bin",),
        "batches.meta.txt",
        1,
        10,
    ),
    _Layout("CIFAR-100", "cifar-100-binary", ("train.bin",), ("test.bin",), "fine_label_names.txt", 2, 100),
)


def is_cifar(root: Path) -> bool:
    """Whether the folder, or the one of the original name in it, has a training batch."""
    return _find(root) is not None


def read_cifar(root: Path) -> Source:
    """All batches that are there; the test split may be missing. Raises DataError."""
    found = _find(root)
    if found is None:
        raise DataError(str(root), "no CIFAR batch in this folder", "give the folder that holds data_batch_1.bin")
    folder, layout = found
    files = [name for name in (*layout.train, *layout.test, layout.names) if (folder / name).is_file()]
    parts = {TRAIN: [n for n in layout.train if n in files], TEST: [n for n in layout.test if n in files]}
    missing = tuple(name for name in (*layout.train, *layout.test) if name not in files)
    return Source(
        kind=f"{layout.name} binary batches",
        paths=(str(root),),
        classes=_names(folder / layout.names, layout),
        splits={split: _records(folder, layout, split, names) for split, names in parts.items() if names},
        files=tuple(file_state(folder / name, name) for name in files),
        notes=tuple(f"{name} is missing" for name in missing),
    )


def _find(root: Path) -> tuple[Path, _Layout] | None:
    for layout in _LAYOUTS:
        for folder in (root, root / layout.folder):
            if (folder / layout.train[0]).is_file():
                return folder, layout
    return None


def _records(folder: Path, layout: _Layout, split: str, names: list[str]) -> RawPictures:
    images, labels = [], []
    for name in names:
        path = folder / name
        data = np.fromfile(path, np.uint8)
        record = layout.label_bytes + _PIXELS
        if len(data) == 0 or len(data) % record:
            reason = f"its {len(data):,} bytes are no whole number of records of {record}"
            raise DataError(str(path), reason, "fetch the file again")
        rows = data.reshape(-1, record)
        label = rows[:, layout.label_bytes - 1]
        if label.max() >= layout.classes:
            raise DataError(str(path), f"label {label.max()} of {layout.classes} classes", "fetch the file again")
        images.append(rows[:, layout.label_bytes :].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        labels.append(label.astype(np.int64))
    return RawPictures(split, np.ascontiguousarray(np.concatenate(images)), np.concatenate(labels))


def _names(path: Path, layout: _Layout) -> tuple[str, ...]:
    """One a line; numbers where the file is missing or has other lines."""
    lines = path.read_text(encoding="utf-8", errors="replace").split() if path.is_file() else []
    return tuple(lines) if len(lines) == layout.classes else tuple(map(str, range(layout.classes)))
