"""The beginning of a safetensors file, up to the bytes of its tensors. It writes nothing and imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A tensor: its name, its type as the format calls it (``F32``), its shape, and how many bytes it takes."""

    name: str
    type: str
    shape: Sequence[int]
    bytes: int


def head_of(entries: Iterable[Entry], metadata: Mapping[str, str] | None = None) -> bytes:
    """The length and the header, for tensors in the order in which their bytes follow.

    It is filled to 8 bytes, so that tensors are aligned where the file is mapped.
    """
    header: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    end = 0
    for entry in entries:
        begin, end = end, end + entry.bytes
        header[entry.name] = {"dtype": entry.type, "shape": list(entry.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
