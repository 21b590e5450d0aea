"""Local response normalisation across channels. Part of generated modules; see netspec/layers/rnorm.py."""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class ResponseNorm(torch.autograd.Function):
    """y = x / s^beta with s = k + alpha * (sum of x^2 over neighbouring channels), and its analytic gradient."""

    @staticmethod
    def forward(ctx, x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
        s = ResponseNorm.neighbours(x * x, size // 2, size - 1 - size // 2).mul_(alpha).add_(k)
        power = torch.rsqrt(s * torch.sqrt(s)) if beta == 0.75 else s.pow(-beta)  # s^-beta
        ctx.save_for_backward(x, s, power)
        ctx.numbers = size, alpha, beta
        return x * power

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, s, power = ctx.saved_tensors
        size, alpha, beta = ctx.numbers
        share = ResponseNorm.neighbours(grad * x * power / s, size - 1 - size // 2, size // 2)
        return (grad * power).sub_(share.mul_(x).mul_(2 * alpha * beta)), None, None, None, None

    @staticmethod
    def neighbours(x: Tensor, before: int, after: int) -> Tensor:
        """The sum of channels c - before to c + after, as far as they exist."""
        channels = x.shape[1]
        total = x.clone()
        for step in range(1, min(before, channels - 1) + 1):
            total[:, step:] += x[:, :-step]
        for step in range(1, min(after, channels - 1) + 1):
            total[:, :-step] += x[:, step:]
        return total


def response_norm(x: Tensor, size: int, alpha: float, beta: float, k: float, groups: int = 1) -> Tensor:
    """Local response normalisation across channels, inside each of ``groups`` groups of them."""
    if groups == 1:
        return ResponseNorm.apply(x, size, alpha, beta, k)
    parts = [ResponseNorm.apply(part, size, alpha, beta, k) for part in x.chunk(groups, dim=1)]
    return torch.cat(parts, dim=1)
