"""Kernels that interpolate. Part of generated modules; see netspec/ir/parameter.py."""

import torch
from torch import Tensor


def bilinear_(weight: Tensor) -> Tensor:
    """Fill kernels (..., height, width) with bilinear interpolation, in place (Caffe's filler for upsampling)."""
    taps = []
    for size in weight.shape[2:]:
        half = (size + 1) // 2
        centre = (half // 2 * 2 + half - 1) / 2
        taps.append(1 - (torch.arange(size, device=weight.device) - centre).abs() / half)
    with torch.no_grad():
        return weight.copy_(taps[0][:, None] * taps[1])
