"""Response normalisation where runtimes have limits of their own."""

from __future__ import annotations

import pytest

from tests.conformance.rules import problems

NET = """
netspec: 1
name: net
input: {{channels: 6, size: [3, 4]}}
layers:
  norm: {{type: rnorm, inputs: data, size: {size}, {keys}}}
"""


@pytest.mark.parametrize("size", [1, 2, 4, 5, 11])
@pytest.mark.parametrize("keys", ["alpha: 0", "alpha: 1e-45", "alpha: 0.5, beta: 1e-39", "alpha: 0.5, groups: 3"])
def test_what_onnxruntimes_lrn_refuses_is_computed_otherwise(size: int, keys: str) -> None:
    assert not problems(NET.format(size=size, keys=keys))
