"""Gaussian blur of each map. Part of generated modules; see netspec/layers/image.py."""

import torch
from torch import Tensor
from torch.nn import functional as F


def blur(x: Tensor, taps: list[float]) -> Tensor:
    """Each map convolved with ``taps`` across, then down; zeros outside the image."""
    channels, reach = x.shape[1], len(taps) // 2
    kernel = torch.tensor(taps, dtype=x.dtype, device=x.device).expand(channels, 1, 1, -1)
    across = F.conv2d(x, kernel, padding=(0, reach), groups=channels)
    return F.conv2d(across, kernel.transpose(2, 3), padding=(reach, 0), groups=channels)
