"""Local response normalisation across channels. Part of generated modules; see netspec/layers/rnorm.py."""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class ResponseNorm(torch.autograd.Function):
    """y = x / s^beta with s = k + alpha * (sum of x^2 over neighbouring channels), and its analytic gradient.

    It works in place and keeps x and s only: new memory costs more than the arithmetic. s is float32 at least.
    """

    @staticmethod
    def forward(ctx, x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        s = torch.full_like(wide, k)
        for here, there in ResponseNorm.neighbours(x.shape[2], size):
            s[:, :, here].addcmul_(wide[:, :, there], wide[:, :, there], value=alpha)
        ctx.save_for_backward(x, s)
        ctx.numbers = size, alpha, beta
        return ResponseNorm.power(s, beta).mul_(wide).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, s = ctx.saved_tensors
        size, alpha, beta = ctx.numbers
        wide = x.to(s.dtype)
        result = ResponseNorm.power(s, beta).mul_(grad)
        share = (result * wide).div_(s)
        for here, there in ResponseNorm.neighbours(x.shape[2], size):
            result[:, :, there].addcmul_(wide[:, :, there], share[:, :, here], value=-2 * alpha * beta)
        return result.to(x.dtype), None, None, None, None

    @staticmethod
    def neighbours(channels: int, size: int) -> list[tuple[slice, slice]]:
        """For each place of the window: the channels that have a neighbour there, and those neighbours."""
        steps = range(max(-(size // 2), 1 - channels), min(size - size // 2, channels))
        return [(slice(max(0, -n), channels - max(0, n)), slice(max(0, n), channels - max(0, -n))) for n in steps]

    @staticmethod
    def power(s: Tensor, beta: float) -> Tensor:
        """s^-beta."""
        return torch.sqrt(s).mul_(s).rsqrt_() if beta == 0.75 else s.pow(-beta)


def response_norm(x: Tensor, size: int, alpha: float, beta: float, k: float, groups: int = 1) -> Tensor:
    """Local response normalisation across channels, inside each of ``groups`` groups of them."""
    return ResponseNorm.apply(x.unflatten(1, (groups, -1)), size, alpha, beta, k).flatten(1, 2)
