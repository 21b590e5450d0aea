"""Maximum over windows of channels. Part of generated modules; see netspec/layers/channels.py."""

import torch
from torch import Tensor
from torch.nn import functional as F


def cross_map_pool(x: Tensor, size: int, stride: int, before: int = 0, after: int = 0) -> Tensor:
    """At each pixel the maximum of each window of channels; ``before`` and ``after`` are outside of the channels."""
    plane = F.pad(x.reshape(x.shape[0], 1, x.shape[1], -1), (0, 0, before, after), value=float("-inf"))
    return torch.squeeze(F.max_pool2d(plane, (size, 1), stride=(stride, 1)), 1).reshape(x.shape[0], -1, *x.shape[2:])
