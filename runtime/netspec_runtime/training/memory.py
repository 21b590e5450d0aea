"""Memory for tensors: how the C library hands it out, what is said where it is full. It allocates nothing itself."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

from netspec_runtime.errors import EnvironmentProblem

_M_TRIM_THRESHOLD: Final = -1  # malloc.h of glibc
_M_MMAP_THRESHOLD: Final = -3
_LARGEST: Final = 2**31 - 1

_NO_ROOM: Final = ("DefaultCPUAllocator", "_ALLOC_FAILED")  # in RuntimeErrors: torch has no class for these two
_WANTED: Final = re.compile(r"tried to allocate ([\d.]+ \w+)", re.IGNORECASE)


def keep_freed_memory() -> bool:
    """Let freed tensors be used again instead of going back to the system; whether that could be arranged.

    Without it glibc maps every tensor above 32 MB anew, and the system fills each page with zeros at its first touch:
    an activation of AlexNet at batch 64 (74 MB) takes four times as long to allocate as to compute. It holds for the
    whole process and costs a few percent of memory. Only glibc has it: elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    settings = ((_M_MMAP_THRESHOLD, _LARGEST), (_M_TRIM_THRESHOLD, _LARGEST))
    return all(library.mallopt(*setting) for setting in settings)


@contextmanager
def enough_memory(fix: str) -> Iterator[None]:
    """Raise EnvironmentProblem, with this ``fix``, where a device has no room for a tensor."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        said = str(error)
        known = isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in said for word in _NO_ROOM)
        if not known:
            raise
        wanted = _WANTED.search(said)
        reason = f"there is no room for {wanted[1]} more" if wanted else "it is full"
        where = "memory of the GPU" if isinstance(error, torch.OutOfMemoryError) else "memory"
        raise EnvironmentProblem(where, reason, fix) from error
