"""Some channels in an order of their own. Part of generated modules; see netspec/layers/conv.py."""

import torch
from torch import Tensor


def pick_channels(x: Tensor, channels: list[int]) -> Tensor:
    """The listed channels, one after the other; one may stand there twice."""
    return x.index_select(1, torch.tensor(channels, device=x.device))
