"""Layers with learned numbers for each channel: affine, prelu. On several devices, and in training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netspec.diagnostics import SpecError
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text
from netspec.training import training_recipe
from tests.conformance.forms import Forms, doubled, run_torch
from tests.conformance.rules import problems
from tests.property.equality import differences

NET = """
netspec: 1
name: net
input: {{channels: 3, size: 5}}
layers:
  conv1: {{type: conv, inputs: data, filters: 6, size: 3, gpu: [0, 1]}}
  one: {{{one}, inputs: conv1}}
  fc1: {{type: fc, inputs: one, outputs: 4, gpu: [1, 0]}}
  two: {{{two}, inputs: fc1}}
"""
LAYERS = (
    "type: affine",
    "type: affine, bias: false",
    "type: affine, scale: false",
    "type: prelu",
    "type: prelu, shared: true, gpu: 0",
    "type: batchnorm, affine: false",
)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_promise(layer: str) -> None:
    text = NET.format(one=layer, two=layer)
    assert not problems(text)
    assert not differences(text, "native")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_step_of_training_moves_both_forms_alike(layer: str) -> None:
    forms = Forms.of(NET.format(one=layer, two=layer))
    weights = doubled(forms.weights())
    merged, split = forms.merged(weights).train(), forms.split(weights).train()
    batch = torch.from_numpy(forms.inputs(batch=6)).double()
    weighting = torch.randn(6, 4, generator=torch.Generator().manual_seed(2012), dtype=torch.float64)
    for module in (merged, split):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
        for _ in range(3):
            optimizer.zero_grad()
            (module(batch)["two"] * weighting).sum().backward()
            optimizer.step()
    found: dict[str, torch.Tensor] = split.merged_state()  # type: ignore[operator]  # the generated class has it
    for name, value in merged.state_dict().items():
        if name in weights:
            torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-12)
            assert not torch.equal(value, torch.from_numpy(weights[name])) or "bias" in name, f"{name} did not move"


@pytest.mark.parametrize("shared", [False, True])
def test_prelu_starts_with_a_quarter(shared: bool) -> None:
    forms = Forms.of(NET.format(one=f"type: prelu, shared: {str(shared).lower()}, gpu: 0", two="type: affine"))
    module = forms.classes[0]().eval()
    assert {name: tuple(value.shape) for name, value in module.state_dict().items() if "one" in name} == {
        "one.weight": (1,) if shared else (6,)
    }
    values = run_torch(module, forms.inputs())
    x = values["conv1"]
    np.testing.assert_allclose(values["one"], np.maximum(x, 0) + 0.25 * np.minimum(x, 0), rtol=1e-6)
    np.testing.assert_array_equal(values["two"], values["fc1"])


def test_nothing_of_them_decays_and_rates_are_their_own() -> None:
    text = NET.format(one="type: affine, lr_w: 3, lr_b: 2", two="type: prelu, lr_w: 0.5")
    rules = {rule.name: rule for rule in training_recipe(compile_spec(load_text(text))).rules}
    found = {name: (rule.bias, rule.rate, rule.decay) for name, rule in rules.items() if name[:3] in ("one", "two")}
    assert found == {
        "one.weight": (False, 3.0, 0.0),
        "one.bias": (True, 2.0, 0.0),
        "two.weight": (False, 0.5, 0.0),
    }
    assert rules["conv1.weight"].decay == 0.0005


def test_a_slope_for_all_stays_on_one_device() -> None:
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(NET.format(one="type: prelu, shared: true", two="type: affine")))
    assert [d.code for d in error.value.diagnostics] == ["NS402"]


def test_an_affine_layer_has_something() -> None:
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(NET.format(one="type: affine, scale: false, bias: false", two="type: affine")))
    assert [d.code for d in error.value.diagnostics] == ["NS310"]
