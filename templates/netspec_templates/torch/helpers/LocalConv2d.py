"""Locally connected layer. Part of generated modules; see netspec/layers/local.py."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LocalConv2d(nn.Module):
    """A convolution with its own weights everywhere: (filters, channels / groups, height, width, rows, columns)."""

    def __init__(self, channels, filters, size, positions, stride, pad, groups, bias, device=None):
        super().__init__()
        self.size, self.stride, self.pad, self.groups = size, stride, pad, groups
        self.weight = nn.Parameter(torch.zeros(filters, channels // groups, *size, *positions, device=device))
        self.bias = nn.Parameter(torch.zeros(filters, *positions, device=device)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        (height, width), (down, right) = self.size, self.stride
        patches = F.pad(x, self.pad).unfold(2, height, down).unfold(3, width, right)
        patches = patches.unflatten(1, (self.groups, -1))
        weight = self.weight.unflatten(0, (self.groups, -1))
        y = torch.einsum("ngcyxij,gfcijyx->ngfyx", patches, weight).flatten(1, 2)
        return y if self.bias is None else y + self.bias
