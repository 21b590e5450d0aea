"""Response normalisation within each map. Part of generated modules; see netspec/layers/rnorm.py."""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class SameMapNorm(torch.autograd.Function):
    """y = x / s^beta with s = k + alpha * (sum of x^2 over a window of the map), and its analytic gradient.

    It works in place and keeps x and s only: new memory costs more than the arithmetic. s is float32 at least.
    """

    @staticmethod
    def forward(ctx, x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        s = SameMapNorm.window_sum(wide * wide, size, 0).mul_(alpha).add_(k)
        ctx.save_for_backward(x, s)
        ctx.numbers = size, alpha, beta
        return SameMapNorm.power(s, beta).mul_(wide).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, s = ctx.saved_tensors
        size, alpha, beta = ctx.numbers
        wide = x.to(s.dtype)
        result = SameMapNorm.power(s, beta).mul_(grad)
        share = SameMapNorm.window_sum((result * wide).div_(s), size, size // 2 - (size - 1) // 2)
        return result.addcmul_(wide, share, value=-2 * alpha * beta).to(x.dtype), None, None, None, None

    @staticmethod
    def window_sum(x: Tensor, size: int, shift: int) -> Tensor:
        """The sum over the window that starts size // 2 - shift before each pixel; 0 outside the map."""
        total = F.avg_pool2d(x, size, stride=1, padding=size // 2, divisor_override=1)
        return total[:, :, shift : shift + x.shape[2], shift : shift + x.shape[3]]

    @staticmethod
    def power(s: Tensor, beta: float) -> Tensor:
        """s^-beta."""
        return torch.sqrt(s).mul_(s).rsqrt_() if beta == 0.75 else s.pow(-beta)


def same_map_norm(x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
    """Local response normalisation within each map: the window is size x size pixels."""
    return SameMapNorm.apply(x, size, alpha, beta, k)
