"""Response normalisation within each map. Part of generated modules; see netspec/layers/rnorm.py."""

from torch import Tensor
from torch.nn import functional as F


def same_map_norm(x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
    """Y = x / (k + alpha * sum of x^2 over a size x size window of the same map)^beta."""
    before, after = size // 2, size - 1 - size // 2
    squares = F.pad(x * x, (before, after, before, after))
    return x / (k + alpha * F.avg_pool2d(squares, size, stride=1, divisor_override=1)).pow(beta)
