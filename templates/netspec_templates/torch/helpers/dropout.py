"""Dropout with the scaling at test. Part of generated modules; see netspec/layers/dropout.py."""

import torch
from torch import Tensor


def dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """Drop units while training; at test multiply all by the keep probability (paper 4.2)."""
    return x * (torch.rand_like(x) >= rate) if training else x * (1 - rate)
