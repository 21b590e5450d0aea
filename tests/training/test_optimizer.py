"""The optimizer beside the paper's rule in float64, and beside torch's SGD, which is another rule once rates change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from netspec_runtime.training.optimizer import PaperSGD, parameter_groups
from netspec_runtime.training.recipe import ParameterRule

MOMENTUM = 0.9
RULES = (
    ParameterRule("conv.weight", bias=False, rate=1.0, decay=0.004),
    ParameterRule("conv.bias", bias=True, rate=2.0, decay=0.0),
    ParameterRule("fc.weight", bias=False, rate=0.5, decay=1.0),
    ParameterRule("fc.bias", bias=True, rate=1.0, decay=0.0),
)
SHAPES = {"conv.weight": (8, 3, 5, 5), "conv.bias": (8,), "fc.weight": (10, 33), "fc.bias": (10,)}


def parameters(dtype: torch.dtype = torch.float32) -> dict[str, nn.Parameter]:
    generator = torch.Generator().manual_seed(1)
    made = {n: torch.randn(s, generator=generator, dtype=torch.float64) for n, s in SHAPES.items()}
    return {name: nn.Parameter(tensor.to(dtype)) for name, tensor in made.items()}


def gradients(step: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(100 + step)
    return {n: torch.randn(s, generator=generator, dtype=torch.float64) for n, s in SHAPES.items()}


def run(optimizer: PaperSGD, net: dict[str, nn.Parameter], steps: range, rate: Callable[[int], float]) -> None:
    for step in steps:
        for name, gradient in gradients(step).items():
            net[name].grad = gradient.to(net[name].dtype) if net[name].requires_grad else None
        optimizer.set_rates(rate(step), 2 * rate(step))
        optimizer.step()


def paper(steps: range, rate: Callable[[int], float]) -> dict[str, np.ndarray]:
    """Paper 5, word for word: v <- .9 v - decay eps w - eps g; w <- w + v."""
    weights = {n: p.detach().numpy().copy() for n, p in parameters(torch.float64).items()}
    velocity = {n: np.zeros(s) for n, s in SHAPES.items()}
    for step in steps:
        for rule in RULES:
            n = rule.name
            eps = rule.rate * rate(step) * (2 if rule.bias else 1)
            if eps == 0:
                continue
            v = MOMENTUM * velocity[n] - rule.decay * eps * weights[n] - eps * gradients(step)[n].numpy()
            velocity[n] = v
            weights[n] = weights[n] + v
    return weights


def two_changes(step: int) -> float:
    return 0.01 if step < 70 else 0.001 if step < 140 else 0.0005


def farthest(net: dict[str, nn.Parameter], wanted: dict[str, np.ndarray]) -> float:
    """The largest difference, relative to the largest number of each tensor."""
    apart = (np.abs(net[n].detach().double().numpy() - w).max() / np.abs(w).max() for n, w in wanted.items())
    return float(max(apart))


def made(net: dict[str, nn.Parameter], rules: tuple[ParameterRule, ...] = RULES) -> PaperSGD:
    return PaperSGD(parameter_groups(rules, net), MOMENTUM)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-13), (torch.float32, 1e-6)])
def test_it_is_the_rule_of_the_paper_through_two_changes_of_the_rate(dtype: torch.dtype, bound: float) -> None:
    net = parameters(dtype)
    run(made(net), net, range(200), two_changes)
    assert farthest(net, paper(range(200), two_changes)) < bound


def test_a_rate_that_changes_at_every_step_is_the_rule_too() -> None:
    def falling(step: int) -> float:
        return float(0.01 * 0.97**step)

    net = parameters(torch.float64)
    run(made(net), net, range(200), falling)
    assert farthest(net, paper(range(200), falling)) < 1e-12


def torch_sgd(rate: Callable[[int], float], steps: range) -> dict[str, nn.Parameter]:
    net = parameters()
    groups = [{"params": [net[r.name]], "weight_decay": r.decay} for r in RULES]
    sgd = torch.optim.SGD(groups, lr=1.0, momentum=MOMENTUM)
    for step in steps:
        for rule, group in zip(RULES, sgd.param_groups, strict=True):
            group["lr"] = rule.rate * rate(step) * (2 if rule.bias else 1)
            net[rule.name].grad = gradients(step)[rule.name].float()
        sgd.step()
    return net


def test_it_is_torchs_sgd_while_the_rate_is_constant_and_not_after_a_change() -> None:
    net = parameters()
    optimizer = made(net)
    run(optimizer, net, range(70), two_changes)
    same = {n: p.detach().double().numpy() for n, p in torch_sgd(two_changes, range(70)).items()}
    assert farthest(net, same) < 1e-6
    run(optimizer, net, range(70, 80), two_changes)
    other = {n: p.detach().double().numpy() for n, p in torch_sgd(two_changes, range(80)).items()}
    assert farthest(net, other) > 1e-3
    assert farthest(net, paper(range(80), two_changes)) < 1e-6


def test_biases_do_not_decay_and_weights_do() -> None:
    net = parameters()
    before = {n: p.detach().clone() for n, p in net.items()}
    optimizer = made(net)
    for parameter in net.values():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.set_rates(0.01, 0.01)
    optimizer.step()
    assert torch.equal(net["conv.bias"], before["conv.bias"])
    torch.testing.assert_close(net["fc.weight"].detach(), before["fc.weight"] * (1 - 0.005 * 1.0))


def test_a_rate_of_zero_touches_nothing_and_the_momentum_goes_on_after_it() -> None:
    def pause(step: int) -> float:
        return 0.0 if 20 <= step < 30 else 0.01 if step < 20 else 0.002

    net = parameters(torch.float64)
    optimizer = made(net)
    run(optimizer, net, range(20), pause)
    before = {n: t.clone() for n, t in {**net, **optimizer.state_tensors()}.items()}
    rates = optimizer.rates()
    run(optimizer, net, range(20, 30), pause)
    assert all(torch.equal(t, before[n]) for n, t in {**net, **optimizer.state_tensors()}.items())
    assert optimizer.rates() == rates == {"weights": 0.01, "biases": 0.02}
    run(optimizer, net, range(30, 60), pause)
    assert farthest(net, paper(range(60), pause)) < 1e-13


def test_only_biases_can_pause() -> None:
    net = parameters()
    optimizer = made(net)
    for parameter in net.values():
        parameter.grad = torch.ones_like(parameter)
    before = {n: p.detach().clone() for n, p in net.items()}
    optimizer.set_rates(0.01, 0.0)
    optimizer.step()
    assert torch.equal(net["fc.bias"], before["fc.bias"])
    assert not torch.equal(net["fc.weight"], before["fc.weight"])
    assert optimizer.rates() == {"weights": 0.01, "biases": 0.0}


def test_it_goes_on_bit_for_bit_from_what_it_exported() -> None:
    def falling(step: int) -> float:
        return float(0.01 / 1.1**step)

    unbroken = parameters()
    run(made(unbroken), unbroken, range(40), falling)
    net = parameters()
    first = made(net)
    run(first, net, range(17), falling)
    state, rates = {n: t.clone() for n, t in first.state_tensors().items()}, first.rates()
    later = {n: nn.Parameter(p.detach().clone()) for n, p in net.items()}
    second = made(later)
    second.load(state, rates)
    run(second, later, range(17, 40), falling)
    assert all(torch.equal(later[n], unbroken[n]) for n in unbroken)


def test_what_is_not_there_to_load_is_named() -> None:
    net = parameters()
    with pytest.raises(ValueError, match=r"no momentum for conv\.bias, fc\.bias"):
        made(net).load({n: torch.zeros(SHAPES[n]) for n in ("conv.weight", "fc.weight")}, {})


def test_rate_zero_in_a_rule_freezes_the_parameter_and_stops_back_propagation() -> None:
    rules = (ParameterRule("conv.weight", bias=False, rate=0.0, decay=0.004), *RULES[1:])
    net = parameters()
    optimizer = made(net, rules)
    assert not net["conv.weight"].requires_grad
    assert set(optimizer.state_tensors()) == {"conv.bias", "fc.weight", "fc.bias"}
    before = net["conv.weight"].clone()
    run(optimizer, net, range(3), two_changes)
    assert torch.equal(net["conv.weight"], before)


def test_a_net_with_nothing_to_learn_is_refused() -> None:
    net = {"conv.weight": parameters()["conv.weight"]}
    with pytest.raises(ValueError, match="empty parameter list"):
        made(net, (ParameterRule("conv.weight", bias=False, rate=0.0, decay=0.0),))


def test_a_parameter_without_a_rule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no rule says how fc\.bias learns"):
        made(parameters(), RULES[:3])


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_what_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="no learning rate"):
        made(parameters()).set_rates(rate, 0.1)


def test_a_parameter_without_a_gradient_keeps_its_momentum_through_a_change_of_the_rate() -> None:
    weight = nn.Parameter(torch.ones(3, dtype=torch.float64))
    other = nn.Parameter(torch.ones(3, dtype=torch.float64))
    rules = tuple(ParameterRule(n, bias=False, rate=1.0, decay=0.0) for n in ("a", "b"))
    optimizer = PaperSGD(parameter_groups(rules, {"a": weight, "b": other}), 0.5)
    v, w = 0.0, 1.0
    for rate, gradient in ((0.1, 1.0), (0.01, None), (0.001, None), (0.002, 3.0), (0.002, 1.0)):
        weight.grad = None if gradient is None else torch.full_like(weight, gradient)
        other.grad = torch.ones_like(other)
        optimizer.set_rates(rate, rate)
        optimizer.step()
        if gradient is not None:
            v = 0.5 * v - rate * gradient
            w += v
        assert weight[0].item() == pytest.approx(w, rel=1e-14)


def test_the_parts_of_a_split_parameter_learn_as_the_whole() -> None:
    whole, split = parameters(), parameters()
    halves = {f"fc_{i}.weight": nn.Parameter(split["fc.weight"].detach()[5 * i : 5 * i + 5].clone()) for i in (0, 1)}
    rules = (RULES[2],)
    one = PaperSGD(parameter_groups(rules, {"fc.weight": whole["fc.weight"]}), MOMENTUM)
    two = PaperSGD(parameter_groups(rules, halves, lambda _: "fc.weight"), MOMENTUM)
    for step in range(10):
        gradient = gradients(step)["fc.weight"].float()
        whole["fc.weight"].grad = gradient
        for i in (0, 1):
            halves[f"fc_{i}.weight"].grad = gradient[5 * i : 5 * i + 5].clone()
        for optimizer in (one, two):
            optimizer.set_rates(two_changes(20 * step), 0.1)
            optimizer.step()
    # not bit for bit: the kernel rounds the ends of its vectors otherwise
    torch.testing.assert_close(torch.cat(list(halves.values())), whole["fc.weight"].data, rtol=1e-6, atol=1e-7)
    buffers = torch.cat(list(two.state_tensors().values()))
    torch.testing.assert_close(buffers, one.state_tensors()["fc.weight"], rtol=1e-6, atol=1e-7)


def test_gradients_of_another_layout_or_type_are_taken_as_numbers() -> None:
    plain = nn.Parameter(torch.randn(4, 3, 5, 5))
    last = nn.Parameter(plain.detach().clone())
    rules = (ParameterRule("w", bias=False, rate=1.0, decay=0.1),)
    optimizers = [PaperSGD(parameter_groups(rules, {"w": p}), MOMENTUM) for p in (plain, last)]
    last.data = last.data.to(memory_format=torch.channels_last)
    for _ in range(3):
        gradient = torch.randn(4, 3, 5, 5)
        plain.grad, last.grad = gradient, gradient.clone()
        for optimizer in optimizers:
            optimizer.set_rates(0.1, 0.1)
            optimizer.step()
    assert torch.equal(plain, last)


def test_weights_stay_float32_under_autocast() -> None:
    layer = nn.Linear(8, 4)
    rules = (
        ParameterRule("weight", bias=False, rate=1.0, decay=0.0),
        ParameterRule("bias", bias=True, rate=1.0, decay=0.0),
    )
    optimizer = PaperSGD(parameter_groups(rules, dict(layer.named_parameters())), MOMENTUM)
    with torch.autocast("cpu", torch.bfloat16):
        loss = layer(torch.randn(2, 8)).float().square().sum()
    loss.backward()
    before = layer.weight.detach().clone()
    optimizer.set_rates(1e-4, 1e-4)  # too small a change for bfloat16 weights to hold
    optimizer.step()
    assert layer.weight.dtype == torch.float32
    assert layer.weight.grad is not None
    torch.testing.assert_close(layer.weight.detach(), before - 1e-4 * layer.weight.grad, rtol=1e-6, atol=0)


def test_a_closure_computes_the_gradients() -> None:
    weight = nn.Parameter(torch.ones(1))
    rules = (ParameterRule("w", bias=False, rate=1.0, decay=0.0),)
    optimizer = PaperSGD(parameter_groups(rules, {"w": weight}), MOMENTUM)
    optimizer.set_rates(0.25, 0.0)

    def closure() -> float:
        weight.grad = 2 * weight.detach()
        return weight.square().sum().item()

    assert optimizer.step(closure) == 1.0
    assert weight.item() == 0.5


@pytest.mark.skipif(torch.cuda.device_count() == 0, reason="needs a GPU")
def test_one_net_on_two_kinds_of_device() -> None:
    net = parameters()
    net["fc.weight"] = nn.Parameter(net["fc.weight"].detach().cuda())
    optimizer = made(net)
    for step in range(200):
        for name, gradient in gradients(step).items():
            net[name].grad = gradient.to(net[name])
        optimizer.set_rates(two_changes(step), 2 * two_changes(step))
        optimizer.step()
    cpu = {n: nn.Parameter(p.detach().cpu()) for n, p in net.items()}
    assert farthest(cpu, paper(range(200), two_changes)) < 1e-6
