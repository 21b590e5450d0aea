"""A factor and an addend for every channel. Part of generated modules; see netspec/layers/affine.py."""

import torch
from torch import Tensor, nn


class ChannelAffine(nn.Module):
    """y = weight * x + bias, with one of each for every channel."""

    def __init__(self, channels, scale=True, bias=True, device=None):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, device=device)) if scale else None
        self.bias = nn.Parameter(torch.zeros(channels, device=device)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        each = (-1,) + (1,) * (x.dim() - 2)
        y = x if self.weight is None else x * self.weight.view(each)
        return y if self.bias is None else y + self.bias.view(each)
