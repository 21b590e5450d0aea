"""Generated modules of shipped specs, run on random weights and one random picture. No expectations."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from netspec.backends.torch import emit_module
from netspec.pipeline import Compiled, compile_file
from netspec.proof.modules import load_classes
from netspec.spec.shipped import shipped_specs

Weights = Mapping[str, Tensor]


def compiled(name: str) -> Compiled:
    return compile_file(shipped_specs()[name])


def random_weights(net: Compiled) -> dict[str, Tensor]:
    """Large enough that the sums of LRN reach k, and that every neuron works."""
    generator = torch.Generator().manual_seed(2012)
    made = {}
    for owned in net.typed.parameters:
        p = owned.parameter
        spread = (2 / p.fan_in) ** 0.5 if p.role == "weight" else 0.5
        made[owned.name] = torch.empty(p.dims).normal_(0, spread, generator=generator)
    return made


def picture(net: Compiled) -> Tensor:
    """One input on the scale of mean-free pixels."""
    generator = torch.Generator().manual_seed(2010)
    return torch.empty(1, *net.typed.input.shape.dims).normal_(0, 60, generator=generator)


def logits(net: Compiled, weights: Weights) -> Tensor:
    cls, _ = load_classes(emit_module(net.spec, net.merged, net.merged), net.spec.name)
    with torch.device("meta"):
        module = cls()
    module.load_state_dict(dict(weights), assign=True)
    with torch.no_grad():
        result: Tensor = module.eval().logits(picture(net))  # type: ignore[operator]  # the generated class has it
    return result


def relative(found: Tensor, wanted: Tensor) -> float:
    return ((found - wanted).abs().max() / wanted.abs().max()).item()
