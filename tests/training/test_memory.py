"""Freed memory is used again; run in a process of its own, as it holds for all of one."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
