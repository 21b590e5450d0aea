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
@pytest.mark.parametrize(
    "keys", ["alpha: 0", "alpha: 1e-45", "alpha: 0.5, beta: 1e-39", "alpha: 0.5, groups: 3", "alpha: 2, k: 1e-5"]
)
def test_what_onnxruntimes_lrn_refuses_is_computed_otherwise(size: int, keys: str) -> None:
    assert not problems(NET.format(size=size, keys=keys))


def test_across_space_a_part_needs_no_whole_group() -> None:
    """Two groups of three channels on three devices: within a map nothing crosses, so groups are no obstacle."""
    assert not problems(NET.format(size=3, keys="across: space, groups: 2, alpha: 0.5, gpu: [0, 1, 2]"))
