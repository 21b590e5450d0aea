"""Contrast normalisation within each map. Part of generated modules; see netspec/layers/cnorm.py."""

import torch
from torch import Tensor
from torch.nn import functional as F


def contrast_norm(x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
    """Contrast normalisation: x / (k + alpha * sum of d^2 over a window)^beta, d = x - the mean of its own window.

    Gradients treat the means as constants.
    """
    before, after = size // 2, size - 1 - size // 2
    pad = (before, after, before, after)
    with torch.no_grad():
        pixels = F.avg_pool2d(F.pad(torch.ones_like(x[:1, :1]), pad), size, stride=1)
        mean = F.avg_pool2d(F.pad(x, pad), size, stride=1) / pixels
    squares = F.pad((x - mean) ** 2, pad)
    return x / (k + alpha * F.avg_pool2d(squares, size, stride=1, divisor_override=1)).pow(beta)
