"""The smallest model that shows where onnxruntime really runs: one convolution, written by hand. No net for pictures.

A convolution, because on CUDA it needs cuDNN too, which a session alone does not load.
"""

from __future__ import annotations

import struct
from typing import Final

from netspec_runtime.wire import bytes_field, number_field

INPUT: Final = "x"
OUTPUT: Final = "y"
FACTOR: Final = 2.0  # y = FACTOR * x, both [1, 1, 1, 1]

_FLOAT: Final = 1
_SHAPE: Final = (1, 1, 1, 1)


def probe_model() -> bytes:
    """A whole ONNX model (opset 18, IR 10). Field numbers are those of onnx.proto."""
    node = bytes_field(1, INPUT.encode()) + bytes_field(1, b"w") + bytes_field(2, OUTPUT.encode())
    weight = (
        b"".join(number_field(1, size) for size in _SHAPE)
        + number_field(2, _FLOAT)
        + bytes_field(8, b"w")
        + bytes_field(9, struct.pack("<f", FACTOR))
    )
    graph = (
        bytes_field(1, node + bytes_field(4, b"Conv"))
        + bytes_field(2, b"probe")
        + bytes_field(5, weight)
        + bytes_field(11, _value(INPUT))
        + bytes_field(12, _value(OUTPUT))
    )
    return number_field(1, 10) + bytes_field(7, graph) + bytes_field(8, number_field(2, 18))


def _value(name: str) -> bytes:
    """A ValueInfoProto: floats of _SHAPE."""
    shape = b"".join(bytes_field(1, number_field(1, size)) for size in _SHAPE)
    tensor = number_field(1, _FLOAT) + bytes_field(2, shape)
    return bytes_field(1, name.encode()) + bytes_field(2, bytes_field(1, tensor))
