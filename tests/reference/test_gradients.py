"""Gradients: analytic ones against differences, those that treat numbers as constants, and ties."""

from __future__ import annotations

from importlib import import_module
from inspect import getsource

import numpy as np
import pytest
import torch
from torch import Tensor

from netspec.layers import LAYER_TYPES
from tests.conformance.forms import Forms, doubled
from tests.conformance.layers import seeded_cases
from tests.reference.cuda_convnet import Image, neighbours

NET = """
netspec: 1
name: net
input: {{channels: 2, size: 4}}
layers:
  layer: {layer}
"""

SHAPE = (2, 6, 3, 4)

# as text would be copied: the helpers are typed and imported nowhere
response = import_module("netspec_templates.torch.helpers.response_norm")
same_map = import_module("netspec_templates.torch.helpers.same_map_norm")
contrast = import_module("netspec_templates.torch.helpers.contrast_norm")


def _random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(2012), dtype=torch.float64)


def test_the_helpers_are_what_is_generated() -> None:
    assert getsource(response.ResponseNorm) in Forms.of(NET.format(layer="{type: rnorm, inputs: data, size: 3}")).source
    across_space = "{type: rnorm, inputs: data, across: space, size: 3}"
    assert getsource(same_map.SameMapNorm) in Forms.of(NET.format(layer=across_space)).source
    assert (
        getsource(contrast.contrast_norm) in Forms.of(NET.format(layer="{type: cnorm, inputs: data, size: 3}")).source
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("beta", [0.75, 0.5, 1.0, 1.3])
def test_response_norm_against_differences(size: int, groups: int, beta: float) -> None:
    x = _random(*SHAPE).requires_grad_()

    def norm(value: Tensor) -> Tensor:
        result: Tensor = response.response_norm(value, size=size, alpha=0.3, beta=beta, k=1.5, groups=groups)
        return result

    assert torch.autograd.gradcheck(norm, (x,), eps=1e-6, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("beta", [0.75, 0.5, 1.0, 1.3])
def test_same_map_norm_against_differences(size: int, beta: float) -> None:
    x = _random(1, 2, 4, 5).requires_grad_()

    def norm(value: Tensor) -> Tensor:
        result: Tensor = same_map.same_map_norm(value, size=size, alpha=0.3, beta=beta, k=1.5)
        return result

    assert torch.autograd.gradcheck(norm, (x,), eps=1e-6, atol=1e-7)


def _cnorm_gradient(x: Image, upstream: Image, size: int, alpha: float, beta: float, k: float) -> Image:
    """The gradient of cnorm by x of one map, means constant, as loops (reference/cuda-convnet.md 1.3)."""
    height, width = x.shape
    places = list(np.ndindex(height, width))
    near = {p: [(i, j) for i in neighbours(p[0], size, height) for j in neighbours(p[1], size, width)] for p in places}
    d = {p: x[p] - sum(x[q] for q in near[p]) / len(near[p]) for p in places}
    s = {p: k + alpha * sum(d[q] ** 2 for q in near[p]) for p in places}
    gradient = np.zeros_like(x)
    for p in places:
        gradient[p] += upstream[p] * s[p] ** -beta
        for q in near[p]:
            gradient[q] -= upstream[p] * x[p] * beta * s[p] ** (-beta - 1) * alpha * 2 * d[q]
    return gradient


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_cnorm_treats_means_as_constants(size: int) -> None:
    x, upstream = _random(1, 2, 5, 4).requires_grad_(), _random(2, 1, 2, 5, 4)[1]
    contrast.contrast_norm(x, size=size, alpha=0.4, beta=0.75, k=1.2).backward(upstream)
    assert x.grad is not None
    for channel in (0, 1):
        arguments = (x.detach()[0, channel].numpy(), upstream[0, channel].numpy())
        wanted = _cnorm_gradient(*arguments, size=size, alpha=0.4, beta=0.75, k=1.2)
        np.testing.assert_allclose(x.grad[0, channel].numpy(), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "values", "wanted"),
    [
        # cuda-convnet gives the gradient to all ties; torch, and so netspec, to the first
        ("{type: pool, inputs: data, pool: max, size: 2, stride: 2}", [[3, 3], [1, 3]], [[1, 0], [0, 0]]),
        ("{type: pool, inputs: data, pool: maxabs, size: 2, stride: 2}", [[-3, 1], [-3, 2]], [[1, 0], [0, 0]]),
        ("{type: pool, inputs: data, pool: maxabs, size: 2, stride: 2}", [[-3, 3], [1, 2]], [[0, 1], [0, 0]]),
        # a maximum over whole maps, and of inputs, shares it
        ("{type: pool, inputs: data, pool: max, size: global}", [[3, 1], [3, 2]], [[0.5, 0], [0.5, 0]]),
        ("{type: eltmax, inputs: [data, data]}", [[3, 1], [-3, 2]], [[1, 1], [1, 1]]),
        ("{type: neuron, inputs: data, neuron: relu}", [[0, 1], [-1, 2]], [[0, 1], [0, 1]]),
        ("{type: neuron, inputs: data, neuron: abs}", [[0, 1], [-1, 2]], [[0, 1], [-1, 1]]),
        # Caffe's ReLU has the slope at 0 too
        ("{type: neuron, inputs: data, neuron: 'leaky[0.5]'}", [[0, 1], [-1, 2]], [[0.5, 1], [0.5, 1]]),
        ("{type: neuron, inputs: data, neuron: 'clip[0, 1]'}", [[0, 1], [-1, 2]], [[1, 1], [0, 0]]),
    ],
)
def test_ties(layer: str, values: list[list[float]], wanted: list[list[float]]) -> None:
    forms = Forms.of(NET.format(layer=layer).replace("channels: 2, size: 4", "channels: 1, size: 2"))
    x = torch.tensor([[values]], dtype=torch.float32, requires_grad=True)
    forms.merged({})(x)["layer"].sum().backward()
    assert x.grad is not None
    assert x.grad[0, 0].tolist() == wanted


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(LAYER_TYPES) - {"cnorm"}))
def test_every_layer_against_differences(kind: str) -> None:
    """All but cnorm, whose gradient is not that of its values."""
    cases = [case for case, _ in zip(seeded_cases(LAYER_TYPES[kind], 900, seed=5), range(12), strict=False)]
    checked = 0
    for case in cases:
        forms = Forms.of(case.text())
        module = forms.merged(doubled(forms.weights())).double()
        x = torch.from_numpy(forms.inputs(batch=1).astype(np.float64)).requires_grad_()
        if not torch.isfinite(module(x)["subject"]).all():
            continue

        def subject(value: Tensor, module: torch.nn.Module = module) -> Tensor:
            result: Tensor = module(value)["subject"]
            return result

        assert torch.autograd.gradcheck(subject, (x,), eps=1e-7, atol=1e-4, rtol=1e-3, fast_mode=True), case.text()
        checked += 1
    assert checked >= 6
