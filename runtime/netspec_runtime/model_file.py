"""A netspec ONNX file, opened fast and with suspicion: its card, and the bytes onnxruntime gets. It runs nothing.

onnxruntime takes .65 s to load AlexNet from a path: it parses and copies 244 MB. Here the file is mapped and only the
few KB around the weights are read; onnxruntime gets a copy of the graph in which the large weights are named as
stretches of the same file, and maps them itself (measured: 20 ms, and 230 MiB less memory).
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

from netspec_runtime.card import PREPROCESSING_KEY, CardError, ModelCard, read_card
from netspec_runtime.errors import DataError
from netspec_runtime.layout import DATA_LOCATION, EXTERNAL_DATA, GRAPH, Layout, read_layout
from netspec_runtime.mistaken import seems
from netspec_runtime.run_marks import MODEL, is_run
from netspec_runtime.wire import Data, Field, WireError, bytes_field, number_field

BIG: Final = 1024  # bytes; from here on a tensor's numbers stay in the file
ALIGNMENT: Final = 64  # bytes; what vector instructions want. Other tensors are copied into the graph.
SEAL_KEY: Final = "netspec.seal"
MAX_METADATA: Final = 1 << 26  # bytes
_HEAD: Final = 512  # bytes; enough to tell what another file is


@dataclass(frozen=True)
class GraphFile:
    """A graph, checked and ready for onnxruntime.

    ``name`` is the path as typed, ``path`` the file it leads to. ``graph`` is a whole ONNX model in bytes whose large
    weights lie in ``path``. ``stamp`` tells whether the file has been changed since.
    """

    name: str
    path: Path
    metadata: dict[str, str]
    graph: bytes
    stamp: tuple[int, ...]

    def unchanged(self) -> bool:
        """Whether ``path`` is still the file that was read."""
        return _stamp(self.path.stat()) == self.stamp


@dataclass(frozen=True)
class ModelFile(GraphFile):
    """A graph that says how pictures are prepared for it."""

    card: ModelCard


def read_model(path: str) -> ModelFile:
    """Open the model at ``path`` and check all but the values of its weights.

    Raises DataError: no such file, no ONNX model, damaged, refers to other files, or not written by netspec.
    """
    file = read_graph(path)
    if PREPROCESSING_KEY not in file.metadata:
        raise DataError(
            path,
            "it records no preprocessing, so a picture cannot be prepared for it",
            "write it with `netspec build SPEC`",
        )
    try:
        card = read_card(file.metadata)
    except CardError as error:
        raise _damaged(path, str(error)) from error
    return ModelFile(file.name, file.path, file.metadata, file.graph, file.stamp, card)


def read_graph(path: str) -> GraphFile:
    """Open the graph at ``path``, whatever it computes. Raises DataError: as read_model, but for the preprocessing."""
    try:
        return _read(path, Path(path).resolve())
    except OSError as error:
        raise DataError(path, error.strerror or "cannot be read", "check the path") from error
    except WireError as error:
        raise _no_model(path, error) from error


def _no_model(path: str, error: WireError) -> DataError:
    with Path(path).open("rb") as file:
        mistaken = seems(path, file.read(_HEAD))
    if mistaken is None:
        return _damaged(path, f"no ONNX model, or a damaged one: {error}")
    return DataError(path, f"{mistaken[0]}, and no ONNX model", mistaken[1])


def _damaged(path: str, reason: str) -> DataError:
    return DataError(path, reason, writing(path))


def writing(path: str) -> str:
    """How to get a model's file anew: what to tell who has a damaged one."""
    folder = Path(path).parent
    if is_run(folder) and Path(path).name == MODEL:
        return f"write it again with `netspec train --resume {shlex.quote(str(folder))}`"
    return "write it again with `netspec build`"


def _read(path: str, real: Path) -> GraphFile:
    if real.exists() and not real.is_file() and not real.is_dir():  # opening a pipe would wait for ever
        raise DataError(path, "a special file", "give an ONNX file written by `netspec build`")
    with real.open("rb") as file:
        status = os.fstat(file.fileno())
        if status.st_size == 0:
            raise DataError(path, "an empty file", "give an ONNX file written by `netspec build`")
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            layout = read_layout(data)
            metadata = _metadata(data, layout)
            if SEAL_KEY in metadata and metadata[SEAL_KEY] != seal_of(data, layout):
                raise DataError(
                    path,
                    "its graph does not match its seal: damaged, or changed by another program",
                    f"{writing(path)}, or take {SEAL_KEY} out of its metadata",
                )
            graph = _skeleton(data, layout, real.name) if _is_text(str(real)) else bytes(data)
            return GraphFile(path, real, metadata, graph, _stamp(status))


def _is_text(path: str) -> bool:
    """Whether onnxruntime can be told this path: it takes UTF-8 only."""
    return not any("\ud800" <= character <= "\udfff" for character in path)


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _metadata(data: Data, layout: Layout) -> dict[str, str]:
    if sum(field.end - field.body for field in layout.metadata.values()) > MAX_METADATA:
        raise WireError(f"more than {MAX_METADATA} bytes of metadata")
    try:
        return {key: data[field.body : field.end].decode("utf-8") for key, field in layout.metadata.items()}
    except UnicodeDecodeError as error:
        raise WireError("metadata that is no UTF-8") from error


def _skeleton(data: Data, layout: Layout, location: str) -> bytes:
    """The model with its large, aligned weights named as stretches of the file ``location``."""
    graph = bytearray()
    for field in layout.graph_fields:
        tensor = layout.initializers.get(field.start)
        raw = tensor.raw if tensor else None
        if raw is None or raw.end - raw.body < BIG or raw.body % ALIGNMENT:
            graph += data[field.start : field.end]
        else:
            graph += bytes_field(field.number, _outside(data, field, raw, location))
    return b"".join(
        bytes_field(GRAPH, bytes(graph)) if field.number == GRAPH else data[field.start : field.end]
        for field in layout.model_fields
    )


def _outside(data: Data, tensor: Field, raw: Field, location: str) -> bytes:
    """A TensorProto without its numbers but with the place where they lie."""
    place = {"location": location, "offset": str(raw.body), "length": str(raw.end - raw.body)}
    entries = (bytes_field(1, key.encode()) + bytes_field(2, value.encode()) for key, value in place.items())
    return b"".join(
        (
            data[tensor.body : raw.start],
            data[raw.end : tensor.end],
            *(bytes_field(EXTERNAL_DATA, entry) for entry in entries),
            number_field(DATA_LOCATION, 1),
        )
    )


def seal_of(data: Data, layout: Layout) -> str:
    """SHA-256 in hex of all bytes but the numbers of large weights and the seal itself: the graph and the metadata.

    A graph with a flipped bit can crash onnxruntime, a weight with one cannot; this takes a millisecond, hashing
    244 MB of weights would take longer than all of `infer`.
    """
    digest = hashlib.sha256()
    position = 0
    for start, end in sorted(_unsealed(layout)):
        digest.update(data[position:start])
        position = end
    digest.update(data[position : len(data)])
    return digest.hexdigest()


def _unsealed(layout: Layout) -> Iterator[tuple[int, int]]:
    for tensor in layout.initializers.values():
        if tensor.raw is not None and tensor.raw.end - tensor.raw.body >= BIG:
            yield tensor.raw.body, tensor.raw.end
    if SEAL_KEY in layout.metadata:
        yield layout.metadata[SEAL_KEY].body, layout.metadata[SEAL_KEY].end


def seal(path: Path) -> None:
    """Write the seal into a model file whose SEAL_KEY holds 64 characters of any kind. Raises WireError without it.

    For whoever writes such files: the last step, on the finished file.
    """
    with path.open("r+b") as file:
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            layout = read_layout(data)
            place = layout.metadata.get(SEAL_KEY)
            value = seal_of(data, layout).encode()
        if place is None or place.end - place.body != len(value):
            raise WireError(f"no room for {SEAL_KEY}")
        file.seek(place.body)
        file.write(value)
