"""An ONNX file, opened with suspicion: its operators, its constants and its metadata. It judges no operator.

The file is mapped and walked by `netspec_runtime.layout` first, which refuses what is damaged or refers to other files;
the numbers of large tensors stay where they lie. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from mmap import ACCESS_COPY, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from netspec_runtime.errors import DataError
from netspec_runtime.layout import GRAPH, INITIALIZER, ElsewhereError, Layout, Tensor, read_layout
from netspec_runtime.model_file import SEAL_KEY, seal_of
from netspec_runtime.wire import Data, Field, WireError, bytes_field

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

    Constant = NDArray[np.generic]

MAX_METADATA: Final = 1 << 26  # bytes
HALVES: Final = ("float16", "bfloat16")  # float32 holds all of their numbers
_FLOAT: Final = 1
_SPARSE: Final = 15


@dataclass(frozen=True)
class OnnxFile:
    """What stands in a file. ``model`` has no initializers: they are ``constants``, by name, in place where possible.

    ``sealed`` is None for a file without a seal, else whether its graph is still the one that was sealed.
    """

    name: str
    model: onnx.ModelProto
    constants: dict[str, Constant]
    metadata: dict[str, str]
    sealed: bool | None


def read_file(path: Path) -> OnnxFile:
    """Raises DataError: no such file, no ONNX model, damaged, or one whose numbers are in other files."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs

    try:
        return _read(path, _mapped(path))
    except OSError as error:
        raise DataError(str(path), error.strerror or "cannot be read", "check the path") from error
    except ElsewhereError as error:
        fix = "export it into one file: torch.onnx.export(..., external_data=False)"
        raise DataError(str(path), "its weights are in another file", fix) from error
    except WireError as error:
        raise damaged(str(path), str(error)) from error
    except DecodeError as error:
        raise damaged(str(path), "its messages cannot be decoded") from error


def damaged(where: str, reason: str) -> DataError:
    """The error for a file that cannot be what it says it is."""
    return DataError(where, f"no ONNX model, or a damaged one: {reason}", "get the file again, or export it again")


def _mapped(path: Path) -> mmap:
    """The bytes; arrays over them may be written to without changing the file."""
    if "\0" in str(path):
        raise DataError(str(path), "no path", "check the path")
    if path.exists() and not path.is_file() and not path.is_dir():  # opening a pipe would wait for ever
        raise DataError(str(path), "a special file", "give an ONNX file")
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise damaged(str(path), "it is empty")
        return mmap(file.fileno(), 0, access=ACCESS_COPY)


def _read(path: Path, data: mmap) -> OnnxFile:
    import onnx

    layout = read_layout(data)
    if any(field.number == _SPARSE for field in layout.graph_fields):
        raise DataError(str(path), "it has sparse weights, which netspec does not read", "export it with dense weights")
    metadata = _metadata(data, layout)
    model = onnx.ModelProto.FromString(_without_initializers(data, layout))
    constants: dict[str, Constant] = {}
    for field in layout.graph_fields:
        if field.number == INITIALIZER:
            tensor = layout.initializers[field.start]
            if tensor.name in constants:
                raise WireError(f"two tensors are called {tensor.name[:80]!r}")
            constants[tensor.name] = _constant(data, field, tensor)
    sealed = metadata[SEAL_KEY] == seal_of(data, layout) if SEAL_KEY in metadata else None
    return OnnxFile(str(path), model, constants, metadata, sealed)


def _metadata(data: Data, layout: Layout) -> dict[str, str]:
    if sum(field.end - field.body for field in layout.metadata.values()) > MAX_METADATA:
        raise WireError(f"more than {MAX_METADATA} bytes of metadata")
    return {key: data[field.body : field.end].decode("utf-8", "replace") for key, field in layout.metadata.items()}


def _without_initializers(data: Data, layout: Layout) -> bytes:
    graph = b"".join(data[f.start : f.end] for f in layout.graph_fields if f.number != INITIALIZER)
    return b"".join(
        bytes_field(GRAPH, graph) if field.number == GRAPH else data[field.start : field.end]
        for field in layout.model_fields
    )


def _constant(data: mmap, field: Field, tensor: Tensor) -> Constant:
    """The numbers of an initializer: those of float32 weights where they lie, others in a copy."""
    import numpy as np
    import onnx

    if tensor.raw is not None and tensor.data_type == _FLOAT:
        count = (tensor.raw.end - tensor.raw.body) // 4
        return np.frombuffer(data, np.float32, count, tensor.raw.body).reshape(tensor.dims)
    return decoded(onnx.TensorProto.FromString(data[field.body : field.end]))


def decoded(tensor: Any) -> Constant:
    """The array of a TensorProto. Raises WireError where its numbers are not as many as its shape says."""
    import numpy as np
    from onnx import numpy_helper

    try:
        array = np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, OverflowError, MemoryError, NotImplementedError) as error:
        raise WireError(f"the tensor {tensor.name[:80]!r} has not the numbers that its shape asks for") from error
    if array.dtype.kind not in "fiub" and array.dtype.name not in HALVES:
        kind = "no numbers" if array.dtype.kind in "OSU" else f"{array.dtype.name}, which netspec does not read"
        raise WireError(f"the tensor {tensor.name[:80]!r} holds {kind}")
    return array
