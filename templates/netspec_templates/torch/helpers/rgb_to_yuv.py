"""Red, green and blue to Y, U and V. Part of generated modules; see netspec/layers/colour.py."""

import torch
from torch import Tensor


def rgb_to_yuv(x: Tensor) -> Tensor:
    """Brightness Y and the colours U and V of channels red, green and blue."""
    r, g, b = x.unbind(1)
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    u = -0.09991 * r - 0.33609 * g + 0.436 * b
    v = 0.615 * r - 0.55861 * g - 0.05639 * b
    return torch.stack((y, u, v), dim=1)
