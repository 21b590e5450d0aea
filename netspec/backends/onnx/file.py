"""Writes a model file in one pass, without ever holding it twice: the weights are made inside the mapped file itself.

Each weight's bytes start at a multiple of 64 in the file (padded by an empty doc_string), so that readers can use them
in place. Wire format: protobuf's; field numbers: onnx.proto (ModelProto.graph 7, GraphProto.initializer 5, TensorProto
1, 2, 8, 9, 12).
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.backends.onnx.graph import OnnxGraph, Tensor
from netspec_runtime.errors import DataError
from netspec_runtime.model_file import seal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

ALIGNMENT = 64
LIMIT = (1 << 31) - 1
_FLOAT = 1


@dataclass(frozen=True)
class _Placed:
    """A tensor's framing bytes and where its numbers begin."""

    tensor: Tensor
    framing: bytes
    start: int


def write_model(
    path: Path,
    graph: OnnxGraph,
    fill: Callable[[dict[str, Array]], None],
    install: Callable[[Path, Path], object] = Path.replace,
) -> int:
    """Write the file atomically; ``fill`` gets float32 views of its weights by tensor name. Returns the size in bytes.

    ``install`` puts the finished file in its place: it is called with the temporary path and ``path``.
    Raises DataError where the model is too large for one file or the disk is full.
    """
    head, placed, size = _layout(graph)
    if size > LIMIT:
        reason = f"the model takes {size:,} bytes, and one ONNX file holds at most {LIMIT:,}"
        raise DataError(str(path), reason, "make the net smaller: fewer filters, outputs or layers")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a killed build, or a link out of the folder
        with temporary.open("x+b") as file:
            os.posix_fallocate(file.fileno(), 0, size) if hasattr(os, "posix_fallocate") else file.truncate(size)
            fill(_views(mmap.mmap(file.fileno(), size), head, placed))
        seal(temporary)
        install(temporary, path)
    except OSError as error:
        reason = f"cannot write {size:,} bytes: {error.strerror}"
        raise DataError(str(path), reason, "free some space, or choose another folder with --out") from None
    finally:
        with contextlib.suppress(OSError):  # on a read-only disk there is none
            temporary.unlink(missing_ok=True)
    return size


def _views(memory: mmap.mmap, head: bytes, placed: list[_Placed]) -> dict[str, Array]:
    """Write all but the numbers; the numbers as arrays. The mapping is closed when the last array is gone."""
    import numpy as np

    memory[: len(head)] = head
    views = {}
    for item in placed:
        memory[item.start - len(item.framing) : item.start] = item.framing
        flat = np.frombuffer(memory, np.float32, prod(item.tensor.dims), item.start)
        views[item.tensor.name] = flat.reshape(item.tensor.dims)
    return views


def _layout(graph: OnnxGraph) -> tuple[bytes, list[_Placed], int]:
    """The bytes before the first weight, the weights' places, and the size of the file."""
    model = type(graph.model)()
    model.CopyFrom(graph.model)
    body = model.graph.SerializeToString(deterministic=True)
    model.ClearField("graph")
    outer = model.SerializeToString(deterministic=True)
    for width in range(1, 11):  # the graph's length stands in front of it, and its own width moves everything
        start = len(outer) + 1 + width
        placed, end = _place(graph.tensors, start + len(body))
        if end - start < 1 << 7 * width:
            return outer + _tag(7) + _varint(end - start, width) + body, placed, end
    raise AssertionError("a length of more than 70 bits")


def _place(tensors: tuple[Tensor, ...], offset: int) -> tuple[list[_Placed], int]:
    placed = []
    for tensor in tensors:
        size = 4 * prod(tensor.dims)
        fixed = b"".join(b"\x08" + _varint(d) for d in tensor.dims) + b"\x10" + _varint(_FLOAT)
        fixed += _tag(8) + _varint(len(tensor.name)) + tensor.name.encode()
        framing = next(f for f in _framings(fixed, size) if (offset + len(f)) % ALIGNMENT == 0)
        placed.append(_Placed(tensor, framing, offset + len(framing)))
        offset += len(framing) + size
    return placed, offset


def _framings(fixed: bytes, size: int) -> Iterator[bytes]:
    """What may stand before ``size`` bytes of numbers: one byte longer each time."""
    for pad in range(2 * ALIGNMENT):
        message = fixed + _tag(12) + _varint(pad) + b" " * pad + _tag(9) + _varint(size)
        yield _tag(5) + _varint(len(message) + size) + message


def _tag(field: int) -> bytes:
    """The key of a length-delimited field."""
    return _varint(field << 3 | 2)


def _varint(value: int, width: int = 1) -> bytes:
    """A number in at least ``width`` bytes: a byte less in front may move the padding so that a byte more is needed."""
    out = bytearray()
    while value > 127 or len(out) < width - 1:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
