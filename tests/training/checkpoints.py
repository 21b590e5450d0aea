"""Checkpoints with every kind of tensor, their comparison bit for bit, and a folder for them. No tests."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from netspec_runtime.training.checkpoint import Checkpoint, Checkpoints

STATE = {"loss": 0.1 + 0.2, "best": None, "rates": [1e-2, 5e-324], "name": "é\n\u2028", "nested": {"big": 2**60}}


def tensors(step: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(step)
    return {
        "conv1.weight": torch.randn(4, 3, 5, 5, generator=generator),
        "conv1.bias": torch.randn(4, generator=generator).to(torch.bfloat16),
        "turned": torch.randn(3, 7, generator=generator).T,
        "every second": torch.arange(10.0)[::2],
        "single": torch.tensor(-0.0),
        "none": torch.empty(0, 3),
        "half": torch.tensor([65504.0, 6e-8], dtype=torch.float16),
        "double": torch.tensor([5e-324, 1 / 3], dtype=torch.float64),
        "count": torch.tensor([2**62, -1]),
        "flags": torch.tensor([True, False, True]),
    }


def checkpoint(step: int, **state: object) -> Checkpoint:
    return Checkpoint(step, tensors(step), {"conv1.weight": tensors(-step)["conv1.weight"]}, state)


def same(found: Checkpoint | None, expected: Checkpoint) -> bool:
    """Bit for bit: types, shapes, bytes."""
    if found is None or (found.step, found.state) != (expected.step, expected.state):
        return False
    pairs = [(found.weights, expected.weights), (found.momentum, expected.momentum)]
    return all(a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a) for a, b in pairs)


def equal(a: Tensor, b: Tensor) -> bool:
    bits = [t.contiguous().reshape(-1).view(torch.uint8) for t in (a, b)]
    return a.dtype == b.dtype and a.shape == b.shape and bits[0].equal(bits[1])


def claimed(folder: Path) -> Checkpoints:
    """Checkpoints of whoever holds the run."""
    checkpoints = Checkpoints(folder)
    checkpoints.claim()
    return checkpoints
