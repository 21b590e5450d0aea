"""Transposed convolution. Part of generated modules; see netspec/layers/deconv.py."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Deconv2d(nn.Module):
    """A transposed convolution with weights as a convolution's: (filters, channels / groups, height, width)."""

    def __init__(self, channels, filters, size, stride=1, padding=0, dilation=1, groups=1, bias=True, device=None):
        super().__init__()
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.weight = nn.Parameter(torch.zeros(filters, channels // groups, *size, device=device))
        self.bias = nn.Parameter(torch.zeros(filters, device=device)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.unflatten(0, (self.groups, -1)).transpose(1, 2).flatten(0, 1)  # as torch has it
        return F.conv_transpose2d(x, weight, self.bias, self.stride, self.padding, 0, self.groups, self.dilation)
