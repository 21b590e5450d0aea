"""The element of largest magnitude. Part of generated modules; see netspec/layers/pool.py."""

import torch
from torch import Tensor


def larger_magnitude(highest: Tensor, negated_lowest: Tensor) -> Tensor:
    """The highest or the lowest value of a window, whichever has the larger magnitude."""
    return torch.where(highest < negated_lowest, -negated_lowest, highest)
