"""Response norms as training runs them: memory formats, bf16, and towers that see only themselves."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest
import torch
from torch import Tensor
from torch.nn.functional import local_response_norm

_across_channels = import_module("netspec_templates.torch.helpers.response_norm").response_norm
_across_space = import_module("netspec_templates.torch.helpers.same_map_norm").same_map_norm

Norm = Callable[[Tensor], Tensor]
NORMS: dict[str, Norm] = {
    "towers": lambda x: _across_channels(x, size=5, alpha=1e-4, beta=0.75, k=2.0, groups=2),
    "channels": lambda x: _across_channels(x, size=4, alpha=1e-4, beta=0.6, k=1.0),
    "space": lambda x: _across_space(x, size=3, alpha=1e-4, beta=0.75, k=1.0),
}
BF16_ROUNDING = 2.0**-8  # of a result: half a step for it, half a step for a gradient that came in rounded
every_norm = pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)


def _activations(channels: int = 12, images: int = 3) -> Tensor:
    """As large as AlexNet's are on photographs: sums of squares change the result by half."""
    x = torch.randn((images, channels, 7, 6), generator=torch.Generator().manual_seed(2012)) * 60
    return x.clamp_min(0)


def _both(norm: Norm, x: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor]:
    """The values and the gradient."""
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    y = norm(x)
    torch.autograd.backward(y, upstream)
    assert x.grad is not None
    return y.detach(), x.grad


@every_norm
def test_channels_last_stays(norm: Norm) -> None:
    x, upstream = _activations(), torch.randn((3, 12, 7, 6))
    wanted = _both(norm, x, upstream)
    last = _both(norm, *(t.contiguous(memory_format=torch.channels_last) for t in (x, upstream)))
    for found, plain in zip(last, wanted, strict=True):
        assert found.is_contiguous(memory_format=torch.channels_last)
        assert plain.is_contiguous()
        torch.testing.assert_close(found, plain, rtol=1e-6, atol=1e-6)


@every_norm
def test_bf16_sums_squares_in_float32(norm: Norm) -> None:
    """Under autocast a layer gets bf16, gives bf16, and is off by the rounding of its result and nothing more."""
    x, upstream = _activations().bfloat16(), torch.randn((3, 12, 7, 6)).bfloat16()
    wanted = _both(norm, x.float(), upstream.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = _both(norm, x, upstream)
    for narrow, wide in zip(found, wanted, strict=True):
        assert narrow.dtype == torch.bfloat16
        assert (narrow.float() - wide).abs().le(wide.abs() * BF16_ROUNDING).all()


@pytest.mark.parametrize("images", [0, 3, 4500], ids="{} images".format)
def test_towers_are_those_of_torchs_norm(images: int) -> None:
    """Against torch's own operator, which divides alpha by the size, in each half of the channels.

    4500 images are computed in three parts.
    """
    x, upstream = _activations(images=images), torch.randn((images, 12, 7, 6))

    def torchs(value: Tensor) -> Tensor:
        towers = [local_response_norm(tower, 5, alpha=5e-4, beta=0.75, k=2.0) for tower in value.chunk(2, dim=1)]
        return torch.cat(towers, dim=1)

    for found, wanted in zip(_both(NORMS["towers"], x, upstream), _both(torchs, x, upstream), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", range(8))
def test_a_part_of_the_channels_has_the_same_bits(first: int) -> None:
    """Split nets compute a slice with a margin of neighbours: each element is summed in the same order."""
    x = _activations(23)
    whole = _across_channels(x, size=5, alpha=1e-4, beta=0.75, k=2.0)
    part = _across_channels(x[:, first : first + 13], size=5, alpha=1e-4, beta=0.75, k=2.0)
    assert torch.equal(part[:, 2:-2], whole[:, first + 2 : first + 11])
