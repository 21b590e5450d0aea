"""Layers that move channels on two to four devices: what a part reads may end within a channel."""

from __future__ import annotations

import pytest

from tests.property.equality import differences

NET = """
netspec: 1
name: net
input: {{channels: 2, size: [4, 6]}}
layers:
  conv1: {{type: conv, inputs: data, filters: {filters}, size: [3, 4], gpu: {source}}}
  moved: {{{layer}, inputs: conv1, neuron: "leaky[0.3]", gpu: {gpu}}}
outputs: [conv1, moved]
"""
pytestmark = pytest.mark.slow
DEVICES = [[0, 1], [2, 0, 1], [3, 1, 0, 2]]


@pytest.mark.parametrize("gpu", DEVICES)
@pytest.mark.parametrize("source", [[0], [1, 0]])
@pytest.mark.parametrize(
    ("filters", "layer"),
    [
        (6, "type: flatten"),  # 36 units: half a map and more in each of four parts
        (6, "type: reshape, shape: [12, 3, 1]"),
        (8, "type: reshape, shape: [12, 2, 2]"),  # 3 new maps are 2 old ones
        (10, "type: reshape, shape: [12, 1, 5]"),  # whole maps meet at the ends only
        (6, "type: reshape, shape: 36"),
        (16, "type: slice, start: 3, channels: 12"),
        (14, "type: cmpool, size: 4, stride: 1, start: -1"),  # 12 windows, the first of 3
        (14, "type: cmpool, size: 3, stride: 1, outputs: 12"),
        (20, "type: cmpool, size: 5, stride: 2, start: -3, outputs: 12"),
        (24, "type: cmpool, size: 3, stride: 2"),  # 12 windows, the last of 2
    ],
)
def test_a_part_is_what_one_device_computes(layer: str, filters: int, source: list[int], gpu: list[int]) -> None:
    assert not differences(NET.format(filters=filters, layer=layer, source=source, gpu=gpu), "native")


@pytest.mark.parametrize("kind", ["rgb2yuv", "rgb2lab, center: true"])
def test_colours_on_three_devices(kind: str) -> None:
    text = NET.format(filters=3, layer=f"type: {kind}", source=[0, 1, 2], gpu=[2, 0, 1])
    assert not differences(text, "native")
