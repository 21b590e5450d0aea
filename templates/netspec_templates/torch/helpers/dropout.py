"""Dropout: which units stay, and when outputs are scaled. Part of generated modules; see netspec/layers/dropout.py."""

import torch
from torch import Tensor


def scramble(x: Tensor) -> Tensor:
    """Put other int32 numbers in place of x, one for each and without a pattern (MurmurHash3's finaliser, Appleby)."""
    x ^= x >> 16 & 0xFFFF
    x *= -0x7A143595
    x ^= x >> 13 & 0x7FFFF
    x *= -0x3D4D51CB
    x ^= x >> 16 & 0xFFFF
    return x


def kept(x: Tensor, rate: float, draw: Tensor | None, layer: int, first: int) -> Tensor:
    """Which numbers of x [N, ...] stay, each with probability 1 - rate.

    With draw, int32 [key, place of the first image], that is a function of the key, the layer, the image's place and
    the unit's place in the whole layer, which begins here with first: the same on any devices and in any pieces.
    """
    if draw is None:
        return torch.rand_like(x) >= rate
    key, place = draw.to(x.device).unbind()
    key = scramble(key ^ layer)
    images = scramble(key + place + torch.arange(len(x), dtype=torch.int32, device=x.device))
    units = torch.arange(first, first + x.shape[1:].numel(), dtype=torch.int32, device=x.device)
    drawn = scramble(images[:, None] + scramble(scramble(key) + units))
    return (drawn >= min(round(rate * 2**32) - 2**31, 2**31 - 1)).view(x.shape)


def dropout(
    x: Tensor, rate: float, training: bool, draw: Tensor | None, layer: int, first: int, inverted: bool = False
) -> Tensor:
    """Drop units while training; at test multiply all by the keep probability (paper 4.2).

    Inverted: divide by it while training instead.
    """
    if not training:
        return x if inverted else x * (1 - rate)
    y = x * kept(x, rate, draw, layer, first)
    return y / (1 - rate) if inverted else y
