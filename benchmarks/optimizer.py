"""The paper's update rule against torch.optim.SGD(fused=True) on AlexNet's parameters; the same work otherwise."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import torch
from torch import nn

from benchmarks.in_turn import in_turn, show
from netspec.pipeline import compile_file
from netspec.spec.shipped import find_spec
from netspec_runtime.training.optimizer import PaperSGD, parameter_groups
from netspec_runtime.training.recipe import ParameterRule

ROUNDS = 41
DECAY = 0.0005


def main() -> None:
    """Print the ratio on the CPU, and on a GPU where there is one. The rate changes at every step of ours."""
    for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
        sides = {"torch SGD, fused": _step(_theirs(device), device), "PaperSGD": _paper_step(_ours(device), device)}
        show(f"Update of AlexNet's parameters, {device}", in_turn(sides, ROUNDS))


def _step(optimizer: torch.optim.SGD, device: str) -> Callable[[], None]:
    def run() -> None:
        optimizer.step()
        _wait(device)

    return run


def _paper_step(optimizer: PaperSGD, device: str) -> Callable[[], None]:
    steps = count()

    def run() -> None:
        rate = 0.01 * 0.999 ** next(steps)
        optimizer.set_rates(rate, rate)
        optimizer.step()
        _wait(device)

    return run


def _parameters(device: str) -> dict[str, nn.Parameter]:
    typed = compile_file(find_spec("alexnet")).typed
    made = {p.name: nn.Parameter(torch.randn(p.parameter.dims, device=device)) for p in typed.parameters}
    for parameter in made.values():
        parameter.grad = torch.randn_like(parameter)
    return made


def _ours(device: str) -> PaperSGD:
    parameters = _parameters(device)
    rules = [ParameterRule(n, n.endswith("bias"), 1.0, 0.0 if n.endswith("bias") else DECAY) for n in parameters]
    return PaperSGD(parameter_groups(rules, parameters), 0.9)


def _theirs(device: str) -> torch.optim.SGD:
    parameters = _parameters(device)
    groups = [
        {"params": [p for n, p in parameters.items() if n.endswith("bias") is bias], "weight_decay": decay}
        for bias, decay in ((False, DECAY), (True, 0.0))
    ]
    return torch.optim.SGD(groups, lr=0.01, momentum=0.9, fused=True)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
