"""The paper's update rule as a torch optimizer, run by torch's fused SGD kernel. It knows no schedules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from netspec_runtime.training.recipe import ParameterRule

Group = dict[str, Any]
_KINDS = {False: "weights", True: "biases"}


def parameter_groups(
    rules: Iterable[ParameterRule],
    parameters: Mapping[str, nn.Parameter],
    canonical: Callable[[str], str] = str,
) -> list[Group]:
    """Parameters that share a rule, together. Those of rate 0 are left out, and back-prop is told to stop at them.

    ``parameters`` are by the name that they have here, ``rules`` by the name that ``canonical`` makes of it. A part of
    a net may have no weights, or no biases, that learn: it has an empty group of them, which keeps the rate. Raises
    ValueError for a parameter without a rule.
    """
    by_name = {rule.name: rule for rule in rules}
    groups: dict[tuple[bool, float, float], Group] = {}
    for name, parameter in parameters.items():
        if (rule := by_name.get(canonical(name))) is None:
            raise ValueError(f"no rule says how {name} learns")
        if rule.rate == 0:
            parameter.requires_grad_(False)
            continue
        key = (rule.bias, rule.rate, rule.decay)
        groups.setdefault(key, _group(rule))["params"].append((name, parameter))
    kinds = {group["bias"] for group in groups.values()}
    elsewhere = {rule.bias: rule for rule in by_name.values() if rule.rate and rule.bias not in kinds}
    return [*groups.values(), *(_group(rule) | {"param_names": []} for rule in elsewhere.values())]


def _group(rule: ParameterRule) -> Group:
    return {"params": [], "bias": rule.bias, "rate": rule.rate, "decay": rule.decay}


class PaperSGD(torch.optim.Optimizer):
    """v <- m v - d e w - e g; w <- w + v, with momentum m, decay d, rate e and gradient g (paper 5).

    torch.optim.SGD keeps u <- m u + d w + g and takes e u from w. That is the same with v = -e u, until the rate
    changes: v stays as it is, so u must change. Here the step after a change has momentum m e_before / e instead of m.
    A rate of 0 leaves weights and v alone (reference/cuda-convnet.md 2), so the e of v is remembered for each group.

    ``groups`` come from `parameter_groups`; call ``set_rates`` before each step. A parameter without a gradient keeps
    its weights and its v. Raises ValueError where nothing learns.
    """

    def __init__(self, groups: list[Group], momentum: float) -> None:
        super().__init__(groups, {"lr": 0.0, "base": 0.0, "base_of_buffer": 0.0, "momentum": momentum})
        for _, parameter in self._named():
            self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)

    def set_rates(self, lr_w: float, lr_b: float) -> None:
        """The rates of the next step, which each group has a multiple of. Raises ValueError for what is no rate."""
        for rate in (lr_w, lr_b):
            if not (math.isfinite(rate) and rate >= 0):
                raise ValueError(f"{rate} is no learning rate")
        for group in self.param_groups:
            group["base"] = lr_b if group["bias"] else lr_w
            group["lr"] = group["rate"] * group["base"]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch: two overloads
        """Change every parameter by its gradient; ``closure`` is torch's, to compute loss and gradients anew."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["lr"] != 0:
                self._update(group)
        return loss

    def state_tensors(self) -> dict[str, Tensor]:
        """The momentum buffers u of torch by the parameters' names; the tensors themselves, no copies."""
        return {name: self.state[parameter]["momentum_buffer"] for name, parameter in self._named()}

    def rates(self) -> dict[str, float]:
        """The rates that the buffers were made with, before the groups' multiples; 0 before the first step."""
        found = {_KINDS[group["bias"]]: group["base_of_buffer"] for group in self.param_groups}
        return {kind: found.get(kind, 0.0) for kind in _KINDS.values()}

    def load(self, state: Mapping[str, Tensor], rates: Mapping[str, float]) -> None:
        """Take what `state_tensors` and `rates` gave, on any device. Raises ValueError if any is missing."""
        missing = [name for name, _ in self._named() if name not in state]
        if missing:
            raise ValueError(f"no momentum for {', '.join(missing)}")
        for name, parameter in self._named():
            self.state[parameter]["momentum_buffer"].copy_(state[name])
        for group in self.param_groups:
            group["base_of_buffer"] = rates[_KINDS[group["bias"]]]

    def _named(self) -> list[tuple[str, nn.Parameter]]:
        return [pair for g in self.param_groups for pair in zip(g["param_names"], g["params"], strict=True)]

    def _update(self, group: Group) -> None:
        base, before = group["base"], group["base_of_buffer"]
        carried = before / base if before else 1.0
        parameters: list[Tensor] = []
        gradients: list[Tensor] = []
        buffers: list[Tensor | None] = []
        for parameter in group["params"]:
            state = self.state[parameter]
            if parameter.grad is None:
                state["momentum_buffer"].mul_(carried)
                continue
            state["momentum_buffer"] = _laid_out(state["momentum_buffer"], parameter)
            parameters.append(parameter)
            gradients.append(_laid_out(parameter.grad, parameter))
            buffers.append(state["momentum_buffer"])
        sgd(
            parameters,
            gradients,
            buffers,
            fused=True,
            weight_decay=group["decay"],
            momentum=group["momentum"] * carried,
            lr=group["lr"],
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
        group["base_of_buffer"] = base


def _laid_out(tensor: Tensor, parameter: Tensor) -> Tensor:
    """The tensor with the strides and the type of the parameter: the fused kernel reads memory in order."""
    if tensor.stride() == parameter.stride() and tensor.dtype == parameter.dtype:
        return tensor
    return torch.empty_like(parameter).copy_(tensor)
