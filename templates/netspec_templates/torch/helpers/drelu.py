"""cuda-convnet's drelu. Part of generated modules; see netspec/ir/neuron.py."""

import torch
from torch import Tensor


def drelu(x: Tensor, a: float) -> Tensor:
    """X - a tanh(x / a)."""
    return x - a * torch.tanh(x / a)
