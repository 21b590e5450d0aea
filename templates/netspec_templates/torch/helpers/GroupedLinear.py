"""Fully-connected layer in groups. Part of generated modules; see netspec/layers/fc.py."""

import torch
from torch import Tensor, nn


class GroupedLinear(nn.Module):
    """The p-th part of the outputs reads the p-th part of the inputs alone: weight (outputs, inputs / groups)."""

    def __init__(self, inputs, outputs, groups, bias=True, device=None):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.zeros(outputs, inputs // groups, device=device))
        self.bias = nn.Parameter(torch.zeros(outputs, device=device)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        parts = x.unflatten(1, (self.groups, -1)).transpose(0, 1)
        weight = self.weight.unflatten(0, (self.groups, -1)).transpose(1, 2)
        if self.bias is None:
            y = torch.bmm(parts, weight)
        else:
            y = torch.baddbmm(self.bias.view(self.groups, 1, -1), parts, weight)
        return y.transpose(0, 1).flatten(1)
