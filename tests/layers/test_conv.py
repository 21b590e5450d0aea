"""Convolution on several devices."""

from __future__ import annotations

import pytest

from tests.conformance.rules import problems

NET = """
netspec: 1
name: net
input: {{channels: 4, size: [7, 6]}}
layers:
  layer: {{type: {kind}, inputs: data, filters: 4, size: 5, gpu: [0, 1], per_input: [{own}]}}
"""


@pytest.mark.parametrize("kind", ["conv", "local"])
@pytest.mark.parametrize(
    "own", ["{}", "{size: 3}", "{stride: 2, groups: 2}", "{size: [2, 3], pad: [1, 0, 2, 1], groups: 4}"]
)
def test_a_part_keeps_what_is_said_of_its_only_input(kind: str, own: str) -> None:
    """The verifier infers each part anew."""
    assert not problems(NET.format(kind=kind, own=own))
