"""Convolution with a bias at every position. Part of generated modules; see netspec/layers/conv.py."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class UntiedConv2d(nn.Conv2d):
    """A convolution whose bias differs at every position: (filters, rows, columns)."""

    def __init__(self, channels, filters, size, positions, device=None, **options):
        super().__init__(channels, filters, size, bias=False, device=device, **options)
        self.bias = nn.Parameter(torch.zeros(filters, *positions, device=device))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, None, self.stride, self.padding, self.dilation, self.groups) + self.bias
