"""Red, green and blue to CIE L*a*b*. Part of generated modules; see netspec/layers/colour.py."""

import torch
from torch import Tensor


def rgb_to_lab(x: Tensor, center: bool = False) -> Tensor:
    """Lightness L (0 to 100; ``center``: -50 to 50) and the colours a and b of red, green and blue from 0 to 1."""
    r, g, b = x.unbind(1)
    xyz = torch.stack(
        (0.49 * r + 0.31 * g + 0.2 * b, 0.17697 * r + 0.8124 * g + 0.01063 * b, 0.01 * g + 0.99 * b), dim=1
    )
    bend = 0.0088564517
    root = xyz.clamp(min=bend).pow(0.3333)  # of nothing negative: its gradient would be NaN even where it is not used
    fx, fy, fz = torch.where(xyz > bend, root, 7.787037 * xyz + 0.13793103).unbind(1)
    lightness = 116 * fy - (66 if center else 16)
    return torch.stack((lightness, 500 * (fx - fy), 200 * (fy - fz)), dim=1)
