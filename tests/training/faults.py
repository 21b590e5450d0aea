"""Disks that refuse: every write, sync and rename of this process, counted, and one of them failing."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from netspec_runtime.errors import DataError

CALLS = ("open", "write", "fsync", "replace")


@dataclass
class Fault:
    """The ``at``-th call (from 0) of those that `failing` watches raises; ``calls`` are counted."""

    at: int
    number: int = errno.ENOSPC
    calls: int = 0
    failed: str = ""

    def watch(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls == self.at + 1:
                self.failed = name
                raise OSError(self.number, os.strerror(self.number))
            return call(*arguments)

        return watched


@contextmanager
def failing(at: int, number: int = errno.ENOSPC) -> Iterator[Fault]:
    """Let one call of the system fail."""
    fault = Fault(at, number)
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, fault.watch(name, getattr(os, name)))
        yield fault


def refusal(call: Callable[[], object]) -> DataError | None:
    """What a call that may fail says: a DataError, and nothing else."""
    try:
        call()
    except DataError as error:
        return error
    return None
