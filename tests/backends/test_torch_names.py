"""Layers that are called as the compiler would call a value of its own."""

from __future__ import annotations

import pytest

from netspec.diagnostics import SpecError
from tests.property.equality import differences

TAKEN = """
netspec: 1
name: taken
input: {{channels: 4, size: 5}}
layers:
  conv1: {{type: conv, inputs: data, filters: 4, size: 3, gpu: [0, 1]}}
  {name}: {{type: conv, inputs: conv1, filters: 4, size: 1, gpu: {gpu}}}
  norm1: {{type: rnorm, inputs: {name}, size: 3, alpha: 0.5, gpu: [1, 0]}}
  fc1: {{type: fc, inputs: [norm1, conv1, data], outputs: 4, gpu: [0, 1]}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["data_on0", "conv1_0_to1", "conv1_on1", "norm1_0_wide", "data_on0_0to2"])
@pytest.mark.parametrize("gpu", ["0", "1", "[0, 1]", "[1, 0]"])
def test_a_layer_may_be_called_as_a_copy_or_a_slice_would_be(name: str, gpu: str) -> None:
    assert not differences(TAKEN.format(name=name, gpu=gpu), "fast")


@pytest.mark.parametrize("name", ["conv1_0", "conv1_1", "norm1_0", "fc1_1"])
def test_a_layer_may_not_be_called_as_a_part_is(name: str) -> None:
    """Parts are modules and weights, whose names are the user's to rely on."""
    with pytest.raises(SpecError, match="NS405"):
        differences(TAKEN.format(name=name, gpu="0"), "fast")
