"""How exactly torch computes on GPUs: always the same bits, and full float32 unless less is asked for. No nets here."""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["float32", "tf32", "bf16"]


def fix_arithmetic(precision: Precision) -> None:
    """Choose for this process, before the first step.

    cuDNN takes algorithms that give the same bits every time, and none by a race that another run may decide otherwise.
    Products of float32 numbers keep all 24 bits; `tf32` has 11 in the factors (torch itself has that in convolutions).
    What is computed on a CPU stays as it is.
    """
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
