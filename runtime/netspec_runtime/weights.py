"""The weights of a netspec ONNX file as arrays over the mapped file. It never copies them and never runs the net."""

from __future__ import annotations

from mmap import ACCESS_COPY, mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.errors import DataError
from netspec_runtime.layout import read_layout
from netspec_runtime.wire import WireError

_FLOAT = 1


def map_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Every float32 initializer by name. Writing to an array does not change the file. Raises DataError."""
    try:
        with path.open("rb") as file:
            data = mmap(file.fileno(), 0, access=ACCESS_COPY)
        layout = read_layout(data)
    except (OSError, ValueError, WireError) as error:
        raise DataError(
            str(path), f"no model to take weights from: {error}", "write it with `netspec build`"
        ) from error
    return {
        tensor.name: np.frombuffer(data, np.float32, (tensor.raw.end - tensor.raw.body) // 4, tensor.raw.body).reshape(
            tensor.dims
        )
        for tensor in layout.initializers.values()
        if tensor.raw is not None and tensor.data_type == _FLOAT
    }
