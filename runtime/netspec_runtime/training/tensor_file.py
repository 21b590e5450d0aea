"""Tensors in a safetensors file that is written whole and can be checked. It knows no nets and no training state."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from netspec_runtime.errors import DataError
from netspec_runtime.files import write_file
from netspec_runtime.safetensors_head import Entry, head_of

SEAL: Final = "sha256"  # the key of the metadata that holds the digest of a sealed file

_OPEN_SEAL: Final = "0" * 64  # what stands in place of the seal while it is computed
_TYPES: Final = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write_safetensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], *, sealed: bool = False
) -> str:
    """Write tensors atomically, bit for bit; returns the file's sha256.

    Nothing is copied but what is not contiguous or not on the CPU. A ``sealed`` file also holds, in its metadata, a
    digest of all of itself, for `read_sealed`. Raises DataError where the disk refuses.
    """
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))  # keeps every tensor aligned
    data = [_bytes_of(tensors[name]) for name in names]
    pairs = zip(names, data, strict=True)
    entries = (Entry(name, _TYPES[tensors[name].dtype], tensors[name].shape, len(raw)) for name, raw in pairs)
    head = head_of(entries, {**metadata, SEAL: _OPEN_SEAL} if sealed else metadata)
    if sealed:
        head = head.replace(_OPEN_SEAL.encode(), _digest(head, *data).encode(), 1)
    return write_file(path, [head, *data])


def read_sealed(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a sealed file. Raises DataError for one that is missing, damaged or not sealed."""
    try:
        raw = path.read_bytes()
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            seal = metadata.pop(SEAL, "")
            if _digest(raw.replace(seal.encode(), _OPEN_SEAL.encode(), 1)) != seal:
                raise DataError(str(path), "it was changed or damaged since it was written", "restore it")
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118 - no mapping
    except OSError as error:
        raise DataError(str(path), f"cannot read: {error.strerror}", "give the path of another file") from None
    except SafetensorError as error:
        raise DataError(str(path), f"no safetensors file: {error}", "give the path of another file") from None


def _bytes_of(tensor: Tensor) -> memoryview:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data if flat.numel() else memoryview(b"")


def _digest(*parts: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
