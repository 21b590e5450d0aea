"""Average pooling with different padding on each side. Part of generated modules; see netspec/layers/pool.py."""

import torch
from torch import Tensor
from torch.nn import functional as F


def average_pool(
    x: Tensor,
    size: int | tuple[int, int],
    stride: int | tuple[int, int],
    inner: tuple[int, int, int, int],
    outer: tuple[int, int, int, int],
) -> Tensor:
    """The mean of each window: ``inner`` padding counts as pixels, ``outer`` does not (left, right, top, bottom)."""
    pixels = F.pad(F.pad(torch.ones_like(x[:1, :1]), inner, value=1.0), outer)
    padded = F.pad(F.pad(x, inner), outer)
    return F.avg_pool2d(padded, size, stride=stride) / F.avg_pool2d(pixels, size, stride=stride)
