"""What torch is told about GPUs by a run: tested without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from netspec_runtime.training.arithmetic import Precision
from netspec_runtime.training.loop import Trainer
from tests.training.jobs import job


def switches() -> dict[str, bool]:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    return {
        "deterministic": cudnn.deterministic,
        "benchmark": cudnn.benchmark,
        "convolutions": cudnn.allow_tf32,
        "products": matmul.allow_tf32,
    }


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = switches()
    yield
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = before["deterministic"], before["benchmark"]
    torch.backends.cudnn.allow_tf32 = before["convolutions"]
    torch.backends.cuda.matmul.allow_tf32 = before["products"]


@pytest.mark.parametrize(("precision", "short"), [("float32", False), ("bf16", False), ("tf32", True)])
def test_a_run_computes_the_same_bits_each_time_and_shortens_only_if_asked(
    tmp_path: Path, precision: Precision, short: bool
) -> None:
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = not short
    Trainer(job(tmp_path, precision=precision))
    assert switches() == {"deterministic": True, "benchmark": False, "convolutions": short, "products": short}
