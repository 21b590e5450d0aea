"""Batch normalisation in training: split and merged keep the same statistics."""

from __future__ import annotations

import pytest
import torch

from tests.conformance.forms import Forms, doubled

NET = """
netspec: 1
name: net
input: {channels: 4, size: 5}
layers:
  conv1: {type: conv, inputs: data, filters: 6, size: 3, gpu: [0, 1]}
  norm1: {type: batchnorm, inputs: conv1, momentum: 0.3, neuron: relu}
  fc1: {type: fc, inputs: norm1, outputs: 4, gpu: [1, 0]}
  norm2: {type: batchnorm, inputs: fc1}
"""


@pytest.mark.parametrize("affine", ["true", "false"])
def test_a_step_of_training_moves_both_forms_alike(affine: str) -> None:
    forms = Forms.of(NET.replace("type: batchnorm,", f"type: batchnorm, affine: {affine},"))
    assert ("norm1.weight" in forms.weights()) == (affine == "true")
    weights = doubled(forms.weights())
    merged, split = forms.merged(weights).train(), forms.split(weights).train()
    batch = torch.from_numpy(forms.inputs(batch=8)).double()
    weighting = torch.randn(8, 4, generator=torch.Generator().manual_seed(2012), dtype=torch.float64)
    for module in (merged, split):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (module(batch)["norm2"] * weighting).sum().backward()
            optimizer.step()
    found: dict[str, torch.Tensor] = split.merged_state()  # type: ignore[operator]  # the generated class has it
    for name, value in merged.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-12)
            still = torch.equal(value, torch.from_numpy(weights[name]))
            assert not still or name.endswith("bias"), f"{name} did not move"  # a norm undoes a bias before it
