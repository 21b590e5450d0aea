"""Gradients of the merged and the split module, compared without holding them: row by row projected on a random vector.

Two different gradients of a row have the same projection with probability zero (Freivalds 1977). A linear layer's
gradient g^T x is projected as g^T (x r), so that the 151 MB of AlexNet's fc6 are never made; all others are dropped
once projected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from netspec.proof.modules import Rows, TracedModule
from netspec.proof.parity import GradientParity

Projection = NDArray[np.float64]


def compare_gradients(
    merged: TracedModule, split: TracedModule, rows: Rows, batch: torch.Tensor, outputs: dict[str, bool]
) -> tuple[GradientParity, ...]:
    """Gradients by the input and by every learned parameter; ``outputs`` says which outputs are probabilities."""
    whole = _Gradients({name for name, _, _, _ in rows}).of(merged, batch, outputs)
    parts = _Gradients({part for _, part, _, _ in rows}).of(split, batch, outputs)
    joined: dict[str, list[Projection | None]] = {"(input)": [parts["(input)"]]}
    for name, part, _, _ in rows:
        joined.setdefault(name, []).append(parts.get(part))
    known = {n: p for n, p in joined.items() if n in whole or any(piece is not None for piece in p)}
    return tuple(GradientParity(name, _apart(whole.get(name), pieces)) for name, pieces in known.items())


def _apart(whole: Projection | None, pieces: list[Projection | None]) -> float:
    """The difference; inf where only one side has a gradient."""
    found = [piece for piece in pieces if piece is not None]
    return difference(whole, np.concatenate(found)) if whole is not None and len(found) == len(pieces) else float("inf")


@dataclass
class _Gradients:
    """Collects the projection of each gradient as the backward pass makes it; ``wanted`` are the names of owners."""

    wanted: set[str]
    found: dict[str, torch.Tensor] = field(default_factory=dict)

    def of(self, module: TracedModule, batch: torch.Tensor, outputs: dict[str, bool]) -> dict[str, Projection]:
        image = batch.clone().requires_grad_()
        own = [(n, p) for n, p in module.named_parameters(remove_duplicate=False) if n in self.wanted]
        names = {id(parameter): name for name, parameter in own}
        for name, inner in module.named_modules():
            if isinstance(inner, nn.Linear):
                self._watch_linear(names.get(id(inner.weight), f"{name}.weight"), inner)
        for name, parameter in own:
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(self._taker(name))  # type: ignore[no-untyped-call]
        loss = _loss(module(image), outputs)
        loss.backward()  # type: ignore[no-untyped-call]
        self._add("(input)", cast(torch.Tensor, image.grad).double().flatten())
        return {name: projection.numpy() for name, projection in self.found.items()}

    def _watch_linear(self, name: str, layer: nn.Linear) -> None:
        layer.weight.requires_grad_(False)

        def after(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            projected = inputs[0].detach().double() @ _direction(inputs[0].shape[1])
            output.register_hook(lambda g: self._add(name, g.double().T @ projected))  # type: ignore[no-untyped-call]

        layer.register_forward_hook(after)

    def _taker(self, name: str) -> Callable[[torch.Tensor], None]:
        def take(tensor: torch.Tensor) -> None:
            gradient = cast(torch.Tensor, tensor.grad)
            flat = gradient.reshape(gradient.shape[0], -1).double()
            self._add(name, flat @ _direction(flat.shape[1]))
            tensor.grad = None

        return take

    def _add(self, name: str, projection: torch.Tensor) -> None:
        self.found[name] = self.found[name] + projection if name in self.found else projection


def _loss(values: dict[str, torch.Tensor], outputs: dict[str, bool]) -> torch.Tensor:
    """Cross-entropy of probabilities with a class each image; a random weighting of other outputs."""
    total = torch.zeros(())
    generator = torch.Generator().manual_seed(2012)
    for name, probabilities in outputs.items():
        value = values[name].cpu()
        if probabilities:
            total = total - torch.log(value[:, 0].clamp_min(1e-30)).sum()
        else:
            total = total + (value * torch.randn(value.shape, generator=generator)).sum()
    return total


def _direction(size: int) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(size), dtype=torch.float64)


def difference(a: Projection, b: Projection) -> float:
    """|a - b| / |a|; 0 where both vanish, inf where only one is a number, nan where nothing is."""
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    finite = np.isfinite(a)
    if not finite.any():
        return float("nan")
    size = float(np.linalg.norm(a[finite]))
    apart = float(np.linalg.norm(a[finite] - b[finite]))
    return apart / size if size else apart
