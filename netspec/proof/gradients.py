"""Gradients of the merged and the split module, compared without holding both: row by row projected on a random vector.

Two different gradients of a row have the same projection with probability zero (Freivalds 1977), and a projection takes a
thousandth of the memory. Each gradient is dropped as soon as it is projected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from netspec.proof.modules import TracedModule
from netspec.proof.parity import GradientParity

Rows = tuple[tuple[str, str, int, int], ...]
_CHUNK = 256


@dataclass
class _Projections:
    """Per row of each parameter: the projection of its gradient."""

    rows: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def watch(self, name: str, parameter: torch.Tensor) -> None:
        def take(tensor: torch.Tensor) -> None:
            assert tensor.grad is not None
            self.rows[name] = _project(tensor.grad)
            tensor.grad = None

        parameter.register_post_accumulate_grad_hook(take)


def compare_gradients(
    merged: TracedModule, split: TracedModule, rows: Rows, batch: torch.Tensor, outputs: tuple[str, ...]
) -> tuple[GradientParity, ...]:
    """The gradients of a random weighting of the outputs, by every learned parameter and by the input."""
    whole, whole_input = _gradients(merged, batch, outputs)
    parts, parts_input = _gradients(split, batch, outputs)
    joined: dict[str, list[NDArray[np.float64]]] = {}
    for name, part, _, _ in rows:
        if part in parts:
            joined.setdefault(name, []).append(parts[part])
    results = [GradientParity("(input)", _difference(whole_input, parts_input))]
    results += [GradientParity(n, _difference(whole[n], np.concatenate(p))) for n, p in joined.items()]
    return tuple(results)


def _gradients(
    module: TracedModule, batch: torch.Tensor, outputs: tuple[str, ...]
) -> tuple[Mapping[str, NDArray[np.float64]], NDArray[np.float64]]:
    projections = _Projections()
    for name, parameter in module.named_parameters():
        projections.watch(name, parameter)
    image = batch.clone().requires_grad_()
    values = module(image)
    generator = torch.Generator().manual_seed(2012)
    loss = sum((values[o] * torch.randn(values[o].shape, generator=generator)).sum() for o in outputs)
    assert isinstance(loss, torch.Tensor)
    loss.backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    return projections.rows, image.grad.double().numpy()


def _project(gradient: torch.Tensor) -> NDArray[np.float64]:
    flat = gradient.reshape(gradient.shape[0], -1)
    generator = torch.Generator().manual_seed(flat.shape[1])
    direction = torch.randn(flat.shape[1], generator=generator, dtype=torch.float64)
    pieces = [chunk.double() @ direction for chunk in flat.split(_CHUNK)]
    return torch.cat(pieces).numpy()


def _difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """|a - b| / |a|; 0 where both vanish, inf where they are not numbers together."""
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    finite = np.isfinite(a)
    size = float(np.linalg.norm(a[finite]))
    apart = float(np.linalg.norm(a[finite] - b[finite]))
    return apart / size if size else apart
