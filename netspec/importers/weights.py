"""Weights of an import to a safetensors file, straight from where they lie. It knows no net and imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from netspec_runtime.files import write_file

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
    entries: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, raw in data.items():
        begin, end = end, end + len(raw)
        entries[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [begin, end]}
    head = json.dumps(entries).encode()
    head += b" " * (-len(head) % 8)  # so that tensors are aligned where the file is mapped
    return write_file(path, [len(head).to_bytes(8, "little"), head, *data.values()])


def _bytes_of(tensor: NDArray[np.float32]) -> memoryview:
    import numpy as np

    flat = np.ascontiguousarray(tensor, "<f4").reshape(-1)
    return flat.view(np.uint8).data if flat.size else memoryview(b"")
