"""Freed memory is used again: in a process of its own, as it holds for all of one. Full memory is told in a line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.memory import enough_memory

FAULTS = """
import resource, sys, torch
from netspec_runtime.training.memory import keep_freed_memory
torch.set_num_threads(1)
done = keep_freed_memory() if sys.argv[1] == "kept" else True
for _ in range(20):
    torch.ones(1 << 24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(1 << 24)
print(done, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> tuple[str, int]:
    """Whether it could be arranged, and the pages that twenty tensors of 64 MB brought in."""
    command = [sys.executable, "-c", FAULTS, how]
    done, faults = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return done, int(faults)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="glibc's setting")
def test_tensors_take_no_new_pages() -> None:
    done, faults = _faults("kept")
    if done == "False":
        pytest.skip("this C library has no such setting")
    assert 2 * faults < _faults("as it is")[1]


def on_gpu() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 8 GiB")


def in_numpy() -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: torch.empty(1 << 50), r"memory: there is no room for \d+ bytes more; ask for less"),
        (on_gpu, "memory of the GPU: there is no room for 20.00 MiB more; ask for less"),
        (in_numpy, "memory: it is full; ask for less"),
    ],
)
def test_full_memory_is_no_bug(call: Callable[[], object], said: str) -> None:
    with pytest.raises(EnvironmentProblem, match=f"^{said}$"), enough_memory("ask for less"):
        call()


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2"), enough_memory("ask for less"):
        torch.ones(2, 3) @ torch.ones(2, 3)
