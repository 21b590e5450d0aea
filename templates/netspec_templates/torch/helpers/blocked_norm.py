"""Response normalisation in blocks of channels. Part of generated modules; see netspec/layers/rnorm.py."""

import torch
from torch import Tensor
from torch.nn import functional as F


def blocked_norm(x: Tensor, size: int, alpha: float, beta: float, k: float, groups: int = 1) -> Tensor:
    """X / (k + alpha * sum of x^2 over the block of ``size`` channels that it is in)^beta.

    Blocks are counted inside each of ``groups`` groups of channels; the last of a group may be smaller.
    """
    wide = x.to(torch.promote_types(x.dtype, torch.float32)).unflatten(1, (groups, -1))
    channels = wide.shape[2]
    blocks = (channels + size - 1) // size
    padded = F.pad(wide, (0, 0, 0, 0, 0, blocks * size - channels)).unflatten(2, (blocks, size))
    s = k + alpha * padded.square().sum(3, keepdim=True)
    return (padded / s.pow(beta)).flatten(2, 3)[:, :, :channels].flatten(1, 2).to(x.dtype)
