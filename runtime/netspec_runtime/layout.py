"""Where the parts of an ONNX file lie: its graph, its tensors, its metadata. It judges no operator and runs nothing.

Field numbers are those of onnx.proto. A tensor that keeps its numbers in another file is refused wherever it stands:
a model must not make this process read files (onnxruntime follows hard links out of the model's folder).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from netspec_runtime.wire import BYTES, VARINT, Data, Field, WireError, fields, varints

GRAPH: Final = 7
METADATA: Final = 14
INITIALIZER: Final = 5
RAW_DATA: Final = 9
EXTERNAL_DATA: Final = 13
DATA_LOCATION: Final = 14

# message -> field -> the message inside: every path that leads to a tensor (a test compares it with onnx itself).
NESTED: Final[dict[str, dict[int, str]]] = {
    "model": {GRAPH: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", INITIALIZER: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
# Bytes an element -> the values of TensorProto.data_type; strings and types of less than a byte are left out.
_TYPES_BY_SIZE: Final = {1: (2, 3, 9, 17, 18, 19, 20), 2: (4, 5, 10, 16), 4: (1, 6, 12), 8: (7, 11, 13, 14), 16: (15,)}
ELEMENT_SIZES: Final = {data_type: size for size, types in _TYPES_BY_SIZE.items() for data_type in types}
MAX_RANK: Final = 16
MAX_DEPTH: Final = 24
MAX_FIELDS: Final = 500_000


class ElsewhereError(WireError):
    """A model that is in several files: nothing is wrong with this one, and it is refused all the same."""


@dataclass(frozen=True)
class Tensor:
    """One TensorProto. ``raw`` is its raw_data field, None where the numbers are stored in another form."""

    name: str
    dims: tuple[int, ...]
    data_type: int
    raw: Field | None


@dataclass(frozen=True)
class Layout:
    """The parts of one ONNX file; every number is an offset in its bytes.

    ``graph_fields`` are the fields of the graph in order; ``initializers`` holds a Tensor for those that are one.
    """

    model_fields: tuple[Field, ...]
    graph_fields: tuple[Field, ...]
    initializers: dict[int, Tensor]
    metadata: dict[str, Field]


def read_layout(data: Data) -> Layout:
    """Walk a whole ONNX file without touching the weights.

    Raises WireError for what is no ONNX model or is damaged, ElsewhereError for one that refers to other files.
    """
    return _Walk(data).layout()


class _Walk:
    """One walk over one file, with its budget of fields."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.left = MAX_FIELDS

    def layout(self) -> Layout:
        model = tuple(self._fields(0, len(self.data)))
        graphs = [field for field in model if field.number == GRAPH]
        if len(graphs) != 1 or graphs[0].kind != BYTES:
            raise WireError(f"{len(graphs)} graphs instead of one")
        graph = tuple(self._fields(graphs[0].body, graphs[0].end))
        tensors = {field.start: self._tensor(field) for field in graph if field.number == INITIALIZER}
        for field in graph:
            if field.number != INITIALIZER:
                self._check_inside("graph", field, 1)
        for field in model:
            if field.number != GRAPH:
                self._check_inside("model", field, 0)
        return Layout(model, graph, tensors, self._metadata(model))

    def _fields(self, start: int, end: int) -> Iterator[Field]:
        for field in fields(self.data, start, end):
            self.left -= 1
            if self.left < 0:
                raise WireError(f"more than {MAX_FIELDS} fields")
            yield field

    def _check_inside(self, message: str, field: Field, depth: int) -> None:
        """Check every tensor in a field of ``message``, however deep it stands."""
        inner = NESTED[message].get(field.number)
        if inner is None:
            return
        if field.kind != BYTES or depth > MAX_DEPTH:
            raise WireError(f"no {inner} at byte {field.start}, or nested too deep")
        if inner == "tensor":
            self._tensor(field)
            return
        for child in self._fields(field.body, field.end):
            self._check_inside(inner, child, depth + 1)

    def _tensor(self, tensor: Field) -> Tensor:
        name, data_type, raw = "", 0, None
        dims: list[int] = []
        for field in self._fields(tensor.body, tensor.end):
            if field.number == EXTERNAL_DATA or (field.number == DATA_LOCATION and field.value != 0):
                raise ElsewhereError(f"the tensor at byte {tensor.start} keeps its numbers in another file")
            if field.number == 1:
                dims += self._dims(field)
            elif field.number == 2:
                data_type = field.value
            elif field.number == 8:
                name = self._text(field)
            elif field.number == RAW_DATA:
                if raw is not None or field.kind != BYTES:
                    raise WireError(f"the tensor at byte {tensor.start} has no single raw_data")
                raw = field
            if len(dims) > MAX_RANK:
                raise WireError(f"the tensor at byte {tensor.start} has more than {MAX_RANK} dimensions")
        found = Tensor(name, tuple(dims), data_type, raw)
        _check_size(found)
        return found

    def _dims(self, field: Field) -> list[int]:
        """One dimension, or all of them in the packed form; WireError unless each is a natural number."""
        if field.kind == VARINT:
            sizes = [field.value]
        elif field.kind == BYTES and field.end - field.body <= 10 * MAX_RANK:
            sizes = list(varints(self.data, field.body, field.end))
        else:
            raise WireError(f"no dimensions at byte {field.start}")
        if any(size >> 63 for size in sizes):
            raise WireError(f"a negative dimension at byte {field.start}")
        return sizes

    def _text(self, field: Field) -> str:
        return bytes(self.data[field.body : field.end]).decode("utf-8", "replace")

    def _metadata(self, model: tuple[Field, ...]) -> dict[str, Field]:
        """The values of metadata_props by key, as fields of bytes."""
        found: dict[str, Field] = {}
        for entry in model:
            if entry.number != METADATA or entry.kind != BYTES:
                continue
            parts = {part.number: part for part in self._fields(entry.body, entry.end) if part.kind == BYTES}
            key = self._text(parts[1]) if 1 in parts else ""
            if key in found:
                raise WireError(f"the metadata has {key[:80]!r} twice")
            if 2 in parts:
                found[key] = parts[2]
        return found


def _check_size(tensor: Tensor) -> None:
    """The raw bytes of a tensor must be as many as its shape asks for."""
    size = ELEMENT_SIZES.get(tensor.data_type)
    if tensor.raw is None or size is None:
        return
    length = tensor.raw.end - tensor.raw.body
    if math.prod(tensor.dims) * size != length:
        shape = "x".join(map(str, tensor.dims)) or "a number"
        raise WireError(f"the tensor {tensor.name[:80]!r} is {shape} and has {length} bytes")
