"""Weights of an import to a safetensors file, straight from where they lie. It knows no net and imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from netspec_runtime.files import write_file
from netspec_runtime.safetensors_head import Entry, head_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def write_tensors(
    path: Path, tensors: Mapping[str, NDArray[np.float32]], metadata: Mapping[str, str] | None = None
) -> str:
    """Write float32 tensors in the order of the mapping, atomically; returns the file's sha256.

    Only what is not contiguous is copied; an array may be a view of a mapped file and need not be aligned. The same
    tensors give the same file. Raises DataError where the disk refuses.
    """
    data = {name: _bytes_of(tensor) for name, tensor in tensors.items()}
    head = head_of((Entry(name, "F32", tensors[name].shape, len(raw)) for name, raw in data.items()), metadata or None)
    return write_file(path, [head, *data.values()])


def _bytes_of(tensor: NDArray[np.float32]) -> memoryview:
    import numpy as np

    flat = np.ascontiguousarray(tensor, "<f4").reshape(-1)
    return flat.view(np.uint8).data if flat.size else memoryview(b"")
