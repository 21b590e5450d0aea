"""Names of constants in ONNX files."""

from __future__ import annotations

import pytest

from tests.conformance.rules import problems

NET = """
netspec: 1
name: net
input: {{channels: 2, size: [5, 5]}}
layers:
  layer: {layer}
"""


@pytest.mark.parametrize(
    "layer",
    [
        "{type: eltsum, inputs: [data, data], coefficients: [0.12345678, 0.12345679]}",
        "{type: cnorm, inputs: data, size: 5, k: 0.0001, beta: 0.6}",
        "{type: dropout, inputs: data, rate: 0.25, neuron: 'tanh[0.75, 0.7500001]'}",
    ],
)
def test_numbers_that_are_nearly_equal_have_their_own_names(layer: str) -> None:
    assert not problems(NET.format(layer=layer))
