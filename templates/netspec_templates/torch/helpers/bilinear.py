"""Bilinear resize as cuda-convnet does it. Part of generated modules; see netspec/layers/image.py."""

import math

import torch
from torch import Tensor


def bilinear(x: Tensor, scale: float) -> Tensor:
    """Resize to floor(size / scale); source = p scale + (size - target scale) / 2, within [0, size - 1.01]."""
    for dim in (2, 3):
        size = x.shape[dim]
        target = math.floor(size / scale)
        offset = (size - target * scale) / 2
        source = [min(max(p * scale + offset, 0.0), size - 1.01) for p in range(target)]
        first = torch.tensor([math.floor(s) for s in source], device=x.device)
        part = torch.tensor([s - math.floor(s) for s in source], dtype=x.dtype, device=x.device)
        low, high = x.index_select(dim, first), x.index_select(dim, first + 1)
        x = low + (high - low) * (part[:, None] if dim == 2 else part)
    return x
