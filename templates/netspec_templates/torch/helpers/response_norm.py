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
        s, y = torch.full_like(wide, k), torch.empty_like(wide)
        for wide_, s_, y_ in ResponseNorm.parts(wide, s, y):
            for here, there in ResponseNorm.neighbours(x.shape[2], size):
                s_[:, :, here].addcmul_(wide_[:, :, there], wide_[:, :, there], value=alpha)
            ResponseNorm.power(s_, beta, y_).mul_(wide_)
        ctx.save_for_backward(x, s)
        ctx.numbers = size, alpha, beta
        return y.to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, s = ctx.saved_tensors
        size, alpha, beta = ctx.numbers
        wide, result = x.to(s.dtype), torch.empty_like(s)
        for wide_, s_, grad_, result_ in ResponseNorm.parts(wide, s, grad, result):
            share = (ResponseNorm.power(s_, beta, result_).mul_(grad_) * wide_).div_(s_)
            for here, there in ResponseNorm.neighbours(x.shape[2], size):
                result_[:, :, there].addcmul_(wide_[:, :, there], share[:, :, here], value=-2 * alpha * beta)
        return result.to(x.dtype), None, None, None, None

    @staticmethod
    def parts(*tensors: Tensor) -> list[tuple[Tensor, ...]]:
        """The images, on a CPU about as many at a time (4 MB) as stay in its cache from one operation to the next."""
        images, numbers = len(tensors[0]), tensors[0].numel()
        if tensors[0].is_cpu:
            images = max(1, 1_000_000 * images // max(1, numbers))
        return list(zip(*[tensor.split(images) for tensor in tensors], strict=True))

    @staticmethod
    def neighbours(channels: int, size: int) -> list[tuple[slice, slice]]:
        """For each place of the window: the channels that have a neighbour there, and those neighbours."""
        steps = range(max(-(size // 2), 1 - channels), min(size - size // 2, channels))
        return [(slice(max(0, -n), channels - max(0, n)), slice(max(0, n), channels - max(0, -n))) for n in steps]

    @staticmethod
    def power(s: Tensor, beta: float, out: Tensor) -> Tensor:
        """s^-beta."""
        return torch.sqrt(s, out=out).mul_(s).rsqrt_() if beta == 0.75 else torch.pow(s, -beta, out=out)


def response_norm(x: Tensor, size: int, alpha: float, beta: float, k: float, groups: int = 1) -> Tensor:
    """Local response normalisation across channels, inside each of ``groups`` groups of them."""
    return ResponseNorm.apply(x.unflatten(1, (groups, -1)), size, alpha, beta, k).flatten(1, 2)
